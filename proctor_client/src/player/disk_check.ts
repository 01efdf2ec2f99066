/** Can this browser keep answers? Asked in the waiting room, while another computer can still be found. */

import type { Vault } from './vault.ts'

export type DiskTrouble = 'broken' | 'small'

/** Less than this for a site is what full disks and private windows give. */
const ENOUGH_BYTES = 40 * 1024 * 1024

export interface DiskReport {
  readonly trouble: DiskTrouble | null
  readonly freeMegabytes: number | null
}

export async function checkDisk(vault: Vault): Promise<DiskReport> {
  const isWritable = await vault.probe().then(() => true, () => false)
  const estimate = await navigator.storage?.estimate?.().catch(() => null)
  // Kept, not evicted, when other pages fill the disk; browsers decide, and a no costs nothing.
  void navigator.storage?.persist?.().catch(() => false)
  const free = estimate?.quota === undefined ? null : estimate.quota - (estimate.usage ?? 0)
  const trouble = !isWritable ? 'broken' : free !== null && free < ENOUGH_BYTES ? 'small' : null
  return { trouble, freeMegabytes: free === null ? null : Math.round(free / 1_048_576) }
}
