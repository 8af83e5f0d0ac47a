//! Problems with known solutions that every integrator of this module has to pass.

use super::{Options, integrate, integrate_stiff, stiff};
use nalgebra::{DVector, SVector};

/// A problem with its solution.
struct Problem {
    name: &'static str,
    /// Too stiff for an explicit method.
    stiff: bool,
    rate: fn(f64, &[f64]) -> Vec<f64>,
    start: f64,
    initial: &'static [f64],
    /// Times with the state there.
    known: Vec<(f64, Vec<f64>)>,
    options: Options,
    /// Allowed error of a component relative to the largest value that it takes in `known`.
    tolerance: f64,
}

fn problems() -> Vec<Problem> {
    // A global error of a thousand local tolerances is allowed.
    let options = Options { relative: 1e-8, absolute: 1e-10, max_steps: 50_000 };
    let at = |times: &[f64], exact: fn(f64) -> Vec<f64>| times.iter().map(|&t| (t, exact(t))).collect();
    vec![
        Problem {
            name: "exponential decay",
            stiff: false,
            rate: |_, y| vec![-y[0]],
            start: 0.0,
            initial: &[1.0],
            known: at(&[0.1, 1.0, 5.0], |t| vec![(-t).exp()]),
            options,
            tolerance: 1e-6,
        },
        Problem {
            name: "logistic growth",
            stiff: false,
            rate: |_, y| vec![y[0] * (1.0 - y[0])],
            start: 0.0,
            initial: &[0.01],
            known: at(&[1.0, 5.0, 10.0, 20.0], |t| vec![1.0 / (1.0 + 99.0 * (-t).exp())]),
            options,
            tolerance: 1e-6,
        },
        Problem {
            name: "harmonic oscillator",
            stiff: false,
            rate: |_, y| vec![y[1], -y[0]],
            start: 0.0,
            initial: &[1.0, 0.0],
            known: at(&[1.0, 10.0, 31.4], |t| vec![t.cos(), -t.sin()]),
            options,
            tolerance: 1e-5,
        },
        Problem {
            name: "forced equation from a negative time",
            stiff: false,
            rate: |t, y| vec![-y[0] + t.cos() + t.sin()],
            start: -2.0,
            initial: &[-0.909_297_426_825_681_7],
            known: at(&[-1.0, 0.0, 3.0], |t| vec![t.sin()]),
            options,
            tolerance: 1e-6,
        },
        Problem {
            name: "relaxation at 10⁶/s",
            stiff: true,
            rate: |_, y| vec![-1e6 * (y[0] - 2.0)],
            start: 0.0,
            initial: &[1.0],
            known: at(&[1e-7, 1e-6, 1e-5, 1.0, 1e6], |t| vec![2.0 - (-1e6 * t).exp()]),
            options,
            tolerance: 1e-6,
        },
        // Prothero and Robinson (1974), λ = 10⁶.
        Problem {
            name: "Prothero-Robinson",
            stiff: true,
            rate: |t, y| vec![-1e6 * (y[0] - t.cos()) - t.sin()],
            start: 0.0,
            initial: &[1.0],
            known: at(&[0.01, 1.0, 10.0], |t| vec![t.cos()]),
            options,
            tolerance: 1e-6,
        },
        // Eigenvalues −1 and −1000 with eigenvectors (2, −1) and (1, −1).
        Problem {
            name: "stiff linear system",
            stiff: true,
            rate: |_, y| vec![998.0 * y[0] + 1998.0 * y[1], -999.0 * y[0] - 1999.0 * y[1]],
            start: 0.0,
            initial: &[1.0, 0.0],
            known: at(&[1e-3, 0.1, 1.0, 10.0], |t| {
                let (slow, fast) = ((-t).exp(), (-1000.0 * t).exp());
                vec![2.0 * slow - fast, fast - slow]
            }),
            options,
            tolerance: 1e-6,
        },
        // Robertson (1966); reference values of Hairer and Wanner (1996) at 40 and of the test set for
        // initial value problems (Mazzia and Magherini, 2008) at 10¹¹.
        Problem {
            name: "Robertson's reaction",
            stiff: true,
            rate: |_, y| {
                let (slow, back, fast) = (0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]);
                vec![back - slow, slow - back - fast, fast]
            },
            start: 0.0,
            initial: &[1.0, 0.0, 0.0],
            known: vec![
                (40.0, vec![0.715_827_068_8, 0.918_553_476_5e-5, 0.284_163_745_7]),
                (1e11, vec![0.208_334_014_970_125_5e-7, 0.833_336_077_033_471_3e-13, 0.999_999_979_166_505]),
            ],
            options: Options { relative: 1e-9, absolute: 1e-16, max_steps: 50_000 },
            tolerance: 1e-6,
        },
        // Van der Pol, μ = 1000, y'' = μ(1 − y²)y' − y; reference values of the same test set.
        Problem {
            name: "van der Pol's oscillator",
            stiff: true,
            rate: |_, y| vec![y[1], 1000.0 * (1.0 - y[0] * y[0]) * y[1] - y[0]],
            start: 0.0,
            initial: &[2.0, 0.0],
            known: vec![(2000.0, vec![1.706_167_732_170_469, -0.892_809_701_024_812_5e-3])],
            options: Options { relative: 1e-9, absolute: 1e-12, max_steps: 50_000 },
            tolerance: 1e-6,
        },
    ]
}

impl Problem {
    fn times(&self) -> Vec<f64> {
        self.known.iter().map(|(time, _)| *time).collect()
    }

    /// Holds the states of an integrator against the solution.
    fn judge(&self, integrator: &str, states: &[Vec<f64>]) {
        for (component, _) in self.initial.iter().enumerate() {
            let largest = self.known.iter().map(|(_, state)| state[component].abs()).fold(0.0, f64::max);
            for ((time, known), found) in self.known.iter().zip(states) {
                let error = (found[component] - known[component]).abs() / largest;
                assert!(
                    error < self.tolerance,
                    "{} by {integrator}: component {component} at {time}: {} against {}",
                    self.name,
                    found[component],
                    known[component]
                );
            }
        }
        assert_eq!(states.len(), self.known.len());
    }

    fn explicit<const N: usize>(&self) -> Vec<Vec<f64>> {
        let rate = |t: f64, y: &SVector<f64, N>| SVector::from_row_slice(&(self.rate)(t, y.as_slice()));
        let initial = SVector::from_row_slice(self.initial);
        let found = integrate(rate, self.start, initial, &self.times(), self.options).unwrap();
        found.iter().map(|state| state.as_slice().to_vec()).collect()
    }
}

#[test]
fn explicit_method() {
    for problem in problems().into_iter().filter(|problem| !problem.stiff) {
        let found = match problem.initial.len() {
            1 => problem.explicit::<1>(),
            _ => problem.explicit::<2>(),
        };
        problem.judge("Dormand-Prince", &found);
    }
}

#[test]
fn single_stiff_equation() {
    // Of order 3, for single equations that do not depend on time.
    let fit = ["exponential decay", "logistic growth", "relaxation at 10⁶/s"];
    for problem in problems().into_iter().filter(|problem| fit.contains(&problem.name)) {
        let rate = |y: f64| (problem.rate)(0.0, &[y])[0];
        let found = integrate_stiff(rate, problem.initial[0], &problem.times(), problem.options).unwrap();
        let found: Vec<Vec<f64>> = found.into_iter().map(|value| vec![value]).collect();
        problem.judge("Rodas3", &found);
    }
}

#[test]
fn stiff_systems() {
    for problem in problems() {
        let rate = |t: f64, y: &DVector<f64>| DVector::from_vec((problem.rate)(t, y.as_slice()));
        let initial = DVector::from_column_slice(problem.initial);
        let found = stiff::System::new(&rate)
            .solve(problem.start, initial, &problem.times(), problem.options)
            .unwrap();
        assert_eq!(found.stopped, None, "{}", problem.name);
        println!("{}: {} steps, {} rejected", problem.name, found.accepted, found.rejected);
        let states: Vec<Vec<f64>> = found.states.iter().map(|state| state.as_slice().to_vec()).collect();
        problem.judge("RODAS", &states);
    }
}
