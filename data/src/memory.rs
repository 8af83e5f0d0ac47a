//! Memory that stays with the process.

/// Bytes of a block that is taken and given back untouched: just below the 32 MiB up to which glibc learns.
const LARGEST: usize = 31 << 20;

/// Asks the allocator to keep blocks below some 30 MB when they are freed, for those that come next.
///
/// Solvers take and free blocks of a few hundred kilobytes over and over. By default glibc maps each of 128 kB or
/// more anew and lets the system fill it with zeros page by page, which takes longer than to solve an array of
/// 256 x 256 with resistive wires. It stops doing so for all sizes up to that of the largest mapped block that was
/// freed (mallopt(3), `M_MMAP_THRESHOLD`, and twice that for `M_TRIM_THRESHOLD`): one is freed here. Other
/// allocators are left as they are. To be called once, at the start of a program.
pub fn keep_freed() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGEST)));
}
