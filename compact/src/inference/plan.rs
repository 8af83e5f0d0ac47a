//! Which parameters of a law which statistics of cells determine.

/// What of a law is fitted, and to which statistics of cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// Parameters of the spread of programming.
    pub spread: &'static [&'static str],
    /// Parameters of the spread at later times, fitted where there are some.
    pub late_spread: &'static [&'static str],
    /// Parameters of the mean and the spread of the change with ln t, fitted where there are several times.
    pub drift: &'static [&'static str],
    /// Parameters of read noise, all that it depends on; fitted where cells are read several times.
    pub read: &'static [&'static str],
    /// In which terms a cell changes with time.
    pub change: Change,
}

/// How a cell is summed up over times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nothing but its spread at each time.
    Spread,
    /// Slope of ln g against ln(1 + t/t_0); t_0 of the law.
    Power,
    /// Mean slope of g against ln t after the first read.
    Shift,
    /// ... and the spread of that line's level at the second time, since the first.
    Relaxation,
    /// ... and the spread of its slope.
    GrowingRelaxation,
}

impl Plan {
    const PROGRAMMING: Self =
        Self { spread: &[], late_spread: &[], drift: &[], read: &[], change: Change::Spread };
    /// Phase-change memory.
    pub const PCM: Self = Self {
        spread: &["sigma_c0_us", "sigma_c1_us", "sigma_c2_us"],
        drift: &["nu_slope", "nu_offset", "nu_std_slope", "nu_std_offset"],
        read: &["read_factor", "read_power"],
        change: Change::Power,
        ..Self::PROGRAMMING
    };
    /// ... with a second error.
    pub const JOSHI: Self =
        Self { spread: &["sigma_c0_us", "sigma_c1", "sigma_c2_per_us"], ..Self::PROGRAMMING };
    /// HERMES.
    pub const HERMES: Self = Self {
        spread: &["sigma_c0_us", "sigma_c1_us", "sigma_c2_us", "sigma_c3_us"],
        drift: &["nu_c0", "nu_c1", "nu_c2", "nu_std_c0", "nu_std_c1", "nu_std_c2"],
        read: &["read_c0", "read_c1", "read_c2", "read_c3"],
        change: Change::Power,
        ..Self::PROGRAMMING
    };
    /// Wan.
    pub const WAN: Self = Self {
        spread: &["second_c0_us", "second_c1_us", "second_c2_us", "second_c3_us", "second_c4_us"],
        late_spread: &[
            "day_c0_us",
            "day_c1_us",
            "day_c2_us",
            "day_c3_us",
            "day_c4_us",
            "days_c0_us",
            "days_c1_us",
            "days_c2_us",
            "days_c3_us",
            "days_c4_us",
        ],
        ..Self::PROGRAMMING
    };
    /// CMO/HfOx.
    pub const CMO: Self = Self {
        spread: &["sigma_offset_us", "sigma_slope"],
        drift: &["shift_us", "relax_offset_us", "relax_slope_us"],
        read: &["read_factor_us"],
        change: Change::GrowingRelaxation,
        ..Self::PROGRAMMING
    };
    /// Milo.
    pub const MILO: Self = Self { spread: &["sigma_offset_us", "sigma_slope"], ..Self::PROGRAMMING };
    /// Tantalum oxide.
    pub const TAOX: Self = Self {
        spread: &["error_constant", "error_linear", "error_square"],
        drift: &["shift_per_decade", "relax_per_decade"],
        change: Change::Relaxation,
        ..Self::PROGRAMMING
    };
    /// Bulk ReRAM.
    pub const BULK: Self =
        Self { spread: &["ions"], drift: &["activation_ev"], change: Change::Shift, ..Self::PROGRAMMING };
    /// Generic, independent.
    pub const INDEPENDENT: Self = Self { spread: &["error_constant"], ..Self::PROGRAMMING };
    /// Generic, proportional.
    pub const PROPORTIONAL: Self = Self { spread: &["error_linear"], ..Self::PROGRAMMING };
    /// Generic, inverse.
    pub const INVERSE: Self = Self { spread: &["error_inverse"], ..Self::PROGRAMMING };
    /// Generic, parabolic.
    pub const PARABOLIC: Self =
        Self { spread: &["error_constant", "error_linear", "error_square"], ..Self::PROGRAMMING };
    /// State-independent error, drift and read noise.
    pub const STATE_INDEPENDENT: Self = Self {
        spread: &["error_constant"],
        drift: &["nu_mean", "nu_std"],
        read: &["read_error"],
        change: Change::Power,
        ..Self::PROGRAMMING
    };
}
