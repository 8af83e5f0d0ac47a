//! Loops compiled for the vector instructions of the processor that runs them.

/// Runs a loop as compiled for the widest vectors of this processor, which is asked at run time: a build
/// for the oldest x86-64 is fast on the newest. Products and sums are rounded one by one in every version,
/// so that results have the same bits on all of them.
#[inline(always)]
pub(crate) fn wide<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}
