/** QR codes of short upper-case texts (alphanumeric mode, correction level M), versions 1 to 22. Pure.
 *
 * ISO/IEC 18004:2015. A receipt is base32, so this mode is enough; what does not fit gives null.
 */

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:'
/** Level M by version: correction bytes of a block, blocks; ISO/IEC 18004 table 9. */
const EC_BYTES = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, 28]
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17]

export type Modules = readonly (readonly boolean[])[]

export function qrCode(text: string): Modules | null {
  if ([...text].some((sign) => !ALPHABET.includes(sign))) return null
  const version = EC_BYTES.findIndex((_, index) => capacityBits(index + 1) >= 4 + countBits(index + 1) + Math.floor(text.length / 2) * 11 + (text.length % 2) * 6) + 1
  if (version === 0) return null
  const grid = new Grid(version)
  grid.fill(interleaved(version, encoded(text, version)))
  return grid.masked()
}

function sizeOf(version: number): number {
  return 17 + 4 * version
}

function at(list: readonly number[], index: number): number {
  return list[index] ?? 0
}

function countBits(version: number): number {
  return version < 10 ? 9 : 11
}

/** Modules left for data and correction when all patterns are drawn. */
function rawBits(version: number): number {
  let bits = (16 * version + 128) * version + 64
  if (version >= 2) {
    const aligned = Math.floor(version / 7) + 2
    bits -= (25 * aligned - 10) * aligned - 55
    if (version >= 7) bits -= 36
  }
  return bits
}

function dataBytes(version: number): number {
  return Math.floor(rawBits(version) / 8) - at(EC_BYTES, version - 1) * at(BLOCKS, version - 1)
}

function capacityBits(version: number): number {
  return 8 * dataBytes(version)
}

function encoded(text: string, version: number): number[] {
  const bits: number[] = []
  const put = (value: number, length: number): void => {
    for (let shift = length - 1; shift >= 0; shift -= 1) bits.push((value >> shift) & 1)
  }
  put(2, 4)
  put(text.length, countBits(version))
  for (let i = 0; i + 1 < text.length; i += 2) put(ALPHABET.indexOf(text.charAt(i)) * 45 + ALPHABET.indexOf(text.charAt(i + 1)), 11)
  if (text.length % 2 === 1) put(ALPHABET.indexOf(text.slice(-1)), 6)
  put(0, Math.min(4, capacityBits(version) - bits.length))
  while (bits.length % 8 !== 0) bits.push(0)
  const bytes = Array.from({ length: bits.length / 8 }, (_, i) => bits.slice(8 * i, 8 * i + 8).reduce((byte, bit) => (byte << 1) | bit, 0))
  for (let pad = 0xec; bytes.length < dataBytes(version); pad ^= 0xfd) bytes.push(pad)
  return bytes
}

/** Split into blocks, add each one's correction bytes, and deal them out in turn. */
function interleaved(version: number, data: readonly number[]): number[] {
  const blocks = at(BLOCKS, version - 1)
  const ecBytes = at(EC_BYTES, version - 1)
  const short = Math.floor(data.length / blocks)
  const longer = data.length % blocks
  const divisor = generator(ecBytes)
  const parts: number[][] = []
  const checks: number[][] = []
  for (let block = 0, from = 0; block < blocks; block += 1) {
    const part = data.slice(from, (from += short + (block >= blocks - longer ? 1 : 0)))
    parts.push(part)
    checks.push(remainder(part, divisor))
  }
  const out: number[] = []
  for (let i = 0; i <= short; i += 1) for (const part of parts) if (i < part.length) out.push(at(part, i))
  for (let i = 0; i < ecBytes; i += 1) for (const check of checks) out.push(at(check, i))
  return out
}

/** Product in GF(2^8) modulo x^8 + x^4 + x^3 + x^2 + 1. */
function times(a: number, b: number): number {
  let product = 0
  for (let bit = 7; bit >= 0; bit -= 1) {
    product = (product << 1) ^ ((product >>> 7) * 0x11d)
    product ^= ((b >>> bit) & 1) * a
  }
  return product
}

function generator(degree: number): number[] {
  const result: number[] = [...Array<number>(degree - 1).fill(0), 1]
  for (let i = 0, root = 1; i < degree; i += 1, root = times(root, 2)) {
    for (let j = 0; j < degree; j += 1) result[j] = times(at(result, j), root) ^ at(result, j + 1)
  }
  return result
}

function remainder(data: readonly number[], divisor: readonly number[]): number[] {
  const rest: number[] = Array<number>(divisor.length).fill(0)
  for (const byte of data) {
    const factor = byte ^ (rest.shift() ?? 0)
    rest.push(0)
    divisor.forEach((coefficient, i) => (rest[i] = at(rest, i) ^ times(coefficient, factor)))
  }
  return rest
}

/** Mask 0 to 7, ISO/IEC 18004 table 10. */
const MASKS: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
]

class Grid {
  readonly #version: number
  readonly #size: number
  readonly #dark: boolean[][]
  readonly #fixed: boolean[][]

  constructor(version: number) {
    this.#version = version
    this.#size = sizeOf(version)
    const empty = (): boolean[][] => Array.from({ length: this.#size }, () => Array<boolean>(this.#size).fill(false))
    this.#dark = empty()
    this.#fixed = empty()
    this.#drawPatterns()
  }

  /** Data runs in columns of two from the lower right corner, up and down in turn. */
  fill(bytes: readonly number[]): void {
    let bit = 0
    for (let right = this.#size - 1; right >= 1; right -= 2) {
      if (right === 6) right = 5
      for (let step = 0; step < this.#size; step += 1) {
        const y = ((right + 1) & 2) === 0 ? this.#size - 1 - step : step
        for (const x of [right, right - 1]) {
          if (this.#fixed[y]?.[x] || bit >= bytes.length * 8) continue
          this.#put(x, y, ((at(bytes, bit >> 3) >> (7 - (bit & 7))) & 1) === 1)
          bit += 1
        }
      }
    }
  }

  /** The mask with the lowest penalty. */
  masked(): Modules {
    let best: boolean[][] = []
    let lowest = Infinity
    for (let mask = 0; mask < MASKS.length; mask += 1) {
      const is = MASKS[mask]
      this.#drawFormat(mask)
      const tried = this.#dark.map((row, y) => row.map((dark, x) => (this.#fixed[y]?.[x] ? dark : dark !== is?.(x, y))))
      const penalty = penaltyOf(tried)
      if (penalty < lowest) [best, lowest] = [tried, penalty]
    }
    return best
  }

  #put(x: number, y: number, dark: boolean, isFixed = false): void {
    const row = this.#dark[y]
    const fixed = this.#fixed[y]
    if (!row || !fixed || x < 0 || x >= this.#size) return
    row[x] = dark
    if (isFixed) fixed[x] = true
  }

  #drawPatterns(): void {
    const size = this.#size
    for (let i = 0; i < size; i += 1) {
      this.#put(6, i, i % 2 === 0, true)
      this.#put(i, 6, i % 2 === 0, true)
    }
    for (const [cx, cy] of [[3, 3], [size - 4, 3], [3, size - 4]] as const) {
      for (let dy = -4; dy <= 4; dy += 1) for (let dx = -4; dx <= 4; dx += 1) {
        const distance = Math.max(Math.abs(dx), Math.abs(dy))
        this.#put(cx + dx, cy + dy, distance !== 2 && distance !== 4, true)
      }
    }
    const centres = this.#alignments()
    const last = centres.length - 1
    centres.forEach((cx, i) => centres.forEach((cy, j) => {
      if ((i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0)) return
      for (let dy = -2; dy <= 2; dy += 1) for (let dx = -2; dx <= 2; dx += 1) this.#put(cx + dx, cy + dy, Math.max(Math.abs(dx), Math.abs(dy)) !== 1, true)
    }))
    this.#drawFormat(0)
    this.#drawVersion()
  }

  #alignments(): number[] {
    if (this.#version === 1) return []
    const count = Math.floor(this.#version / 7) + 2
    const step = Math.ceil((this.#size - 13) / (2 * count - 2)) * 2
    return [6, ...Array.from({ length: count - 1 }, (_, i) => this.#size - 7 - (count - 2 - i) * step)]
  }

  /** Level M is 00; then the mask, a BCH code, and a mask of its own. */
  #drawFormat(mask: number): void {
    const size = this.#size
    let rest = mask
    for (let i = 0; i < 10; i += 1) rest = (rest << 1) ^ ((rest >>> 9) * 0x537)
    const bits = ((mask << 10) | rest) ^ 0x5412
    const bit = (i: number): boolean => ((bits >>> i) & 1) === 1
    for (let i = 0; i <= 5; i += 1) this.#put(8, i, bit(i), true)
    this.#put(8, 7, bit(6), true)
    this.#put(8, 8, bit(7), true)
    this.#put(7, 8, bit(8), true)
    for (let i = 9; i < 15; i += 1) this.#put(14 - i, 8, bit(i), true)
    for (let i = 0; i < 8; i += 1) this.#put(size - 1 - i, 8, bit(i), true)
    for (let i = 8; i < 15; i += 1) this.#put(8, size - 15 + i, bit(i), true)
    this.#put(8, size - 8, true, true)
  }

  #drawVersion(): void {
    if (this.#version < 7) return
    let rest = this.#version
    for (let i = 0; i < 12; i += 1) rest = (rest << 1) ^ ((rest >>> 11) * 0x1f25)
    const bits = (this.#version << 12) | rest
    for (let i = 0; i < 18; i += 1) {
      const dark = ((bits >>> i) & 1) === 1
      const a = this.#size - 11 + (i % 3)
      const b = Math.floor(i / 3)
      this.#put(a, b, dark, true)
      this.#put(b, a, dark, true)
    }
  }
}

const FINDER = /(?=10111010000|00001011101)/g

function penaltyOf(grid: Modules): number {
  const size = grid.length
  const rows = grid.map((row) => row.map((dark) => (dark ? '1' : '0')).join(''))
  const columns = rows.map((_, x) => rows.map((row) => row.charAt(x)).join(''))
  let penalty = 0
  for (const line of [...rows, ...columns]) {
    for (const run of line.match(/0{5,}|1{5,}/g) ?? []) penalty += run.length - 2
    penalty += 40 * (line.match(FINDER) ?? []).length
  }
  for (let y = 0; y + 1 < size; y += 1) for (let x = 0; x + 1 < size; x += 1) {
    const square = grid[y]?.[x]
    if (square === grid[y]?.[x + 1] && square === grid[y + 1]?.[x] && square === grid[y + 1]?.[x + 1]) penalty += 3
  }
  const dark = rows.join('').replace(/0/g, '').length
  return penalty + 10 * Math.floor(Math.abs((20 * dark) / (size * size) - 10))
}
