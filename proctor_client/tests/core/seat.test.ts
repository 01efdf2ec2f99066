import { describe, expect, test } from 'vitest'
import { fromBase64, toBase64, toHex } from '../../src/core/base64.ts'
import { clockJumpMs } from '../../src/core/clock_jumps.ts'
import { isWaitingForPeople, maySend, type Phase, phaseOf, type SeatFacts } from '../../src/core/phase.ts'
import { checkOf, prefetchDelayMs } from '../../src/core/prefetching.ts'
import { qrCode } from '../../src/core/qr.ts'
import { macHex, SealBroken, sha256Hex, unseal, unwrapByCode } from '../../src/core/sealing.ts'
import { verdictOf } from '../../src/core/verdicts.ts'
import { mayPaste, panelOpened } from '../../src/core/windows.ts'

const FACTS: SeatFacts = { state: 'running', isMine: true, isPaused: false, isLocked: false, isSignedOut: false, handsIn: false, leftMs: 1000 }

describe('where a seat stands', () => {
  const cases: [Partial<SeatFacts>, Phase][] = [
    [{}, 'paper'],
    [{ leftMs: 0 }, 'over'],
    [{ leftMs: 0, isPaused: true }, 'paused'],
    [{ leftMs: 0, handsIn: true }, 'handing-in'],
    [{ isPaused: true }, 'paused'],
    [{ isPaused: true, handsIn: true }, 'handing-in'],
    [{ isLocked: true, handsIn: true }, 'locked'],
    [{ isMine: false, isLocked: true }, 'elsewhere'],
    [{ state: 'closed', isMine: false }, 'over'],
    [{ state: 'submitted', isMine: false }, 'handed-in'],
    [{ state: 'submitted', isSignedOut: true }, 'signed-out'],
  ]
  test.each(cases)('%j is %s', (change, phase) => expect(phaseOf({ ...FACTS, ...change })).toBe(phase))

  test('a phase that waits for people never ends by sending', () => {
    for (const phase of ['elsewhere', 'locked'] as const) expect(isWaitingForPeople(phase) && !maySend(phase)).toBe(true)
    expect(maySend('paused')).toBe(true) // what was typed before the pause still goes out
  })
})

describe('what a refusal means', () => {
  const cases: [number, string, Record<string, unknown>, string][] = [
    [409, 'lease-taken', {}, 'elsewhere'],
    [409, 'attempt-locked', {}, 'locked'],
    [409, 'attempt-closed', { state: 'submitted' }, 'ended'],
    [409, 'time-over', {}, 'ended'],
    [409, 'not-started', {}, 'unstarted'],
    [422, 'start-proof-invalid', {}, 'unproved'],
    [401, 'sign-in-needed', {}, 'signed-out'],
    [403, 'not-yours', {}, 'trouble'],
  ]
  test.each(cases)('%i %s', (status, code, facts, is) => expect(verdictOf({ status, code, facts }).is).toBe(is))

  test('slots are taken from the facts, and only numbers', () => {
    expect(verdictOf({ status: 409, code: 'responses-missing', facts: { missing: [1, 'x', 3] } })).toEqual({ is: 'missing', slots: [1, 3] })
    expect(verdictOf({ status: 422, code: 'response-invalid', facts: { slot: 'x' } })).toEqual({ is: 'misfit', slot: null })
  })
})

describe('sealing', () => {
  const key = Uint8Array.from({ length: 32 }, (_, index) => index)
  // Made by exam_engine/infra/sealing.py: seal(key, b"label", "nội dung"), wrap_by_code("7KQ2M4XV0ZHT", bytes(32), b"exam-key/1", key) …
  const SEALED = 'XMziPldyLmodI8NPmhGjuKpUMWNurcO9EZnBGJSjW+lEcI2vkgY='
  const WRAPPED = 'E7CCZaDx9L2ihiY1VmgG3SwKwhFlUFtbjvyXNF7LWAnPMfe3sRcwDCrT+R5hDtBenj1KlFhXGg8QBDFQ'

  test('opens what the server sealed, and nothing that was changed', async () => {
    const sealed = fromBase64(SEALED)
    expect(new TextDecoder().decode(await unseal(key, 'label', sealed))).toBe('nội dung')
    await expect(unseal(key, 'other', sealed)).rejects.toThrow(SealBroken)
    const changed = Uint8Array.from(sealed, (byte, index) => (index === 20 ? byte ^ 1 : byte))
    await expect(unseal(key, 'label', changed)).rejects.toThrow(SealBroken)
  })

  test('the release code opens the key, another code does not', async () => {
    const salt = new Uint8Array(32)
    expect(await unwrapByCode('7KQ2M4XV0ZHT', salt, 200_000, 'exam-key/1', fromBase64(WRAPPED))).toEqual(key)
    await expect(unwrapByCode('7KQ2M4XV0ZHS', salt, 200_000, 'exam-key/1', fromBase64(WRAPPED))).rejects.toThrow(SealBroken)
  })

  test('hashes and MACs are those of RFC 6234 and RFC 4231', async () => {
    expect(await sha256Hex(new TextEncoder().encode('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    const jefe = new TextEncoder().encode('Jefe')
    expect(await macHex(jefe, 'what do ya want for nothing?')).toBe('5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')
  })

  test('base64 there and back', () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => (index * 7) % 256)
    expect(fromBase64(toBase64(bytes))).toEqual(bytes)
    expect(toHex(Uint8Array.of(0, 15, 255))).toBe('000fff')
  })
})

describe('fetching beforehand', () => {
  test('is spread over the first third of the wait, a minute at most', () => {
    expect(prefetchDelayMs(30_000, 0.999)).toBeLessThan(10_000)
    expect(prefetchDelayMs(3_600_000, 0.999)).toBeLessThan(60_000)
    expect(prefetchDelayMs(-5, 0.5)).toBe(0)
  })
  test('the check is short enough to read out', () => expect(checkOf('3f9a02bc77')).toBe('3f9a 02bc'))
})

describe('surroundings', () => {
  const at = (wallMs: number, counterMs: number): { wallMs: number; counterMs: number } => ({ wallMs, counterMs })
  test.each([
    ['runs as it should', at(0, 0), at(5_000, 5_000), 0],
    ['is set back', at(0, 0), at(-3_595_000, 5_000), -3_600_000],
    ['is set ahead', at(0, 0), at(65_000, 5_000), 60_000],
    ['drifts', at(0, 0), at(5_300, 5_000), 0],
    ['slept with the computer', at(0, 0), at(600_000, 20_000), 0],
  ])('a clock that %s', (_name, before, now, jump) => expect(clockJumpMs(before, now, 15_000)).toBe(jump))

  const size = { outerWidth: 1280, outerHeight: 900, innerWidth: 1280, innerHeight: 800, pixelRatio: 1 }
  test.each([
    ['a panel below', { ...size, innerHeight: 500 }, true],
    ['a panel at the side', { ...size, innerWidth: 900 }, true],
    ['a window made smaller', { ...size, outerWidth: 900, innerWidth: 900 }, false],
    ['a page zoomed in', { ...size, innerWidth: 640, innerHeight: 400, pixelRatio: 2 }, false],
  ])('%s', (_name, now, opened) => expect(panelOpened(size, now)).toBe(opened))

  test('only text from this paper may be pasted', () => {
    expect(mayPaste('câu  một\n', ['câu một'])).toBe(true)
    expect(mayPaste('từ nơi khác', ['câu một'])).toBe(false)
    expect(mayPaste('', [])).toBe(true)
  })
})

describe('QR codes', () => {
  test('are those of the standard', () => {
    // Compared module by module with segno 1.6 (mode alphanumeric, level M, the same mask).
    const rows = qrCode('R1.AB')?.map((row) => row.map((dark) => (dark ? '#' : '.')).join(''))
    expect(rows).toEqual('#######...###.#######|#.....#.#.#.#.#.....#|#.###.#..#.#..#.###.#|#.###.#...#.#.#.###.#|#.###.#.#..##.#.###.#|#.....#...##..#.....#|#######.#.#.#.#######|.........#...........|#.#.#.#...#.#...#..#.|..#.......##.#.#..##.|.##.#.###..#.###....#|#....#..##.###.##.##.|#..##.######.###.###.|........##....#..###.|#######..##.#...#.##.|#.....#..##...#....##|#.###.#.#.#.#.#.###.#|#.###.#...##.#.#.###.|#.###.#.##.#.###..#.#|#.....#..#####.###.##|#######.#.##.###..#.#'.split('|'))
  })
  test('grow with the text and refuse what does not fit', () => {
    expect(qrCode('A'.repeat(350))?.length).toBe(61)
    expect(qrCode('A'.repeat(3000))).toBeNull()
    expect(qrCode('chữ thường')).toBeNull()
  })
})
