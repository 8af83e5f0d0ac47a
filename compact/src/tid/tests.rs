use super::*;

fn normal(seed: u64, index: u64) -> f64 {
    mho_data::random::Stream::new(seed, &["compact", "tid"], &[]).normal(index)
}

const DOSES: [f64; 6] = [0.0, 30.0, 100.0, 200.0, 300.0, 500.0];

/// Two devices at each of six starts, with 2 mV of noise.
fn points(law: &Law, seed: u64) -> Vec<VtPoint> {
    let mut points = Vec::new();
    for (s, start_v) in [3.0, 2.0, 1.1, 1.0, 0.0, -1.0].into_iter().enumerate() {
        for device in 0..2 {
            let start_v = start_v + 0.03 * f64::from(device);
            for (d, vt_v) in law.thresholds_v(start_v, &DOSES).unwrap().into_iter().enumerate() {
                let noise = 2e-3 * normal(seed, (100 * s + 10 * device as usize + d) as u64);
                points.push(VtPoint {
                    state: format!("{s}"),
                    device: format!("{device}"),
                    dose_krad_si: DOSES[d],
                    vt_v: vt_v + noise,
                    std_v: 2e-3,
                });
            }
        }
    }
    points
}

#[test]
fn the_exponential_law_is_recovered_with_honest_intervals() {
    let truth = Law::Exp { dose_c_krad_si: 1700.0, vt_inf_v: 0.7 };
    let mut covered = [0; 2];
    for seed in 0..200 {
        let found = fit(&EXP, &points(&truth, seed)).unwrap();
        for (index, wanted) in [1700.0, 0.7].into_iter().enumerate() {
            let [low, high] = found.fit.parameters[index].interval95;
            covered[index] += usize::from((low..=high).contains(&wanted));
        }
        assert!((found.fit.value("dose_c_krad_si") / 1700.0 - 1.0).abs() < 0.1);
    }
    // Three binomial deviations about 95 % of 200.
    assert!(covered.iter().all(|count| (181..=199).contains(count)), "{covered:?}");
}

/// Devices that differ in D_c by 10 %: with the devices as observations the interval of D_c covers the
/// middle of them, as one that counts points would not.
#[test]
fn devices_are_the_independent_observations() {
    let mut covered = 0;
    for seed in 0..200u64 {
        let mut all = Vec::new();
        for device in 0..18u64 {
            let spread = 0.1 * normal(1000 + seed, device);
            let law = Law::Exp { dose_c_krad_si: 1700.0 * spread.exp(), vt_inf_v: 0.7 };
            let start_v = [3.0, 2.0, 1.1, 1.0, 0.0, -1.0][(device % 6) as usize];
            for (d, vt_v) in law.thresholds_v(start_v, &DOSES).unwrap().into_iter().enumerate() {
                all.push(VtPoint {
                    state: format!("{}", device % 6),
                    device: format!("{device}"),
                    dose_krad_si: DOSES[d],
                    vt_v: vt_v + 1e-3 * normal(seed, 10 * device + d as u64),
                    std_v: 1e-3,
                });
            }
        }
        let [low, high] = fit(&EXP, &all).unwrap().fit.parameters[0].interval95;
        covered += usize::from((low..=high).contains(&1700.0));
    }
    // Found: 190 of 200. Three binomial deviations about 95 % of 200.
    assert!((181..=199).contains(&covered), "{covered}");
}

#[test]
fn the_flow_is_the_ode() {
    let law = CollectLaw { eta_e: 0.8, eta_h: 0.6, phi_ms_v: -1.02, vt_neutral_v: 1.05 };
    let flow = collect::Flow::new(&law, &collect::Release::new(&law));
    for start_v in [3.0, 2.0, 1.1, 0.0, -0.9] {
        let exact = law.thresholds_v(start_v, &DOSES).unwrap();
        for (a, b) in exact.iter().zip(flow.thresholds_v(start_v, &DOSES)) {
            assert!((a - b).abs() < 2e-4, "{a} {b}");
        }
    }
}

/// Where the collection is linear in the charge, close to its fixed point, its ODE is the exponential law.
#[test]
fn a_linear_collection_is_the_exponential_law() {
    let law = Law::from_values(&COLLECT, &COLLECT.defaults()).unwrap();
    let Law::Collect(collect) = law else { unreachable!() };
    let (fixed_v, step_v) = (law.fixed_point_v(), 2e-3);
    let rate = |shift_v: f64| collect.collection().rate(fixed_v - collect.vt_neutral_v + shift_v) * 1e3;
    let dose_c_krad_si = 2.0 * step_v / (rate(-step_v) - rate(step_v));
    let linear = Law::Exp { dose_c_krad_si, vt_inf_v: fixed_v };
    let start_v = fixed_v + step_v;
    let closed_v = linear.thresholds_v(start_v, &DOSES).unwrap();
    for (ode, closed) in law.thresholds_v(start_v, &DOSES).unwrap().iter().zip(closed_v) {
        assert!((ode - closed).abs() < 0.01 * step_v, "{ode} {closed}");
    }
}

#[test]
fn the_collection_is_recovered() {
    let truth = CollectLaw { eta_e: 0.9, eta_h: 0.7, phi_ms_v: -0.9, vt_neutral_v: 1.05 };
    let start = std::time::Instant::now();
    let found = fit(&COLLECT, &points(&Law::Collect(truth), 3)).unwrap();
    println!("{:?} {:?}", start.elapsed(), found.fit);
    assert!((found.fit.value("eta_e") / 0.9 - 1.0).abs() < 0.2);
    assert!((found.fit.value("eta_h") / 0.7 - 1.0).abs() < 0.2);
    assert!((found.law.fixed_point_v() - Law::Collect(truth).fixed_point_v()).abs() < 0.05);
    assert!(found.fit.rms < 3e-3, "{}", found.fit.rms);
}

#[test]
fn the_ranking_finds_the_law_behind_the_points() {
    let truth =
        Law::TwoTerm { dose_c_krad_si: 2000.0, vt_inf_v: 0.8, fast_fraction: 0.15, dose_fast_krad_si: 60.0 };
    let ranking = compare(&points(&truth, 5));
    assert_eq!(ranking[0].fit.model.name, "tid-two-term");
    assert_eq!(ranking[0].delta_aicc, 0.0);
    assert!(ranking.iter().any(|ranked| ranked.fit.model.name == "tid-exp" && ranked.delta_aicc > 10.0));
}

#[test]
fn outliers_and_gaps_do_not_matter() {
    let truth = Law::Exp { dose_c_krad_si: 1700.0, vt_inf_v: 0.7 };
    let mut points = points(&truth, 9);
    points[7].vt_v += 0.5;
    points[20].vt_v = f64::NAN;
    let found = fit(&EXP, &points).unwrap();
    assert!((found.fit.value("dose_c_krad_si") / 1700.0 - 1.0).abs() < 0.1);
    assert_eq!(found.fit.dropped, 1);
}

/// One state, doses up to a tenth of D_c: V_inf and D_c are anybody's guess, and the slope that is known is told
/// with an interval that holds the truth.
#[test]
fn short_doses_leave_only_the_slope() {
    let truth = Law::Exp { dose_c_krad_si: 1700.0, vt_inf_v: 0.7 };
    let mut all = Vec::new();
    for device in 0..8u64 {
        for (d, dose) in [0.0, 30.0, 60.0, 90.0, 120.0, 150.0].into_iter().enumerate() {
            let vt_v = truth.threshold_v(2.7, dose).unwrap() + 2e-3 * normal(4, 10 * device + d as u64);
            let (state, device) = ("ERS".to_owned(), device.to_string());
            all.push(VtPoint { state, device, dose_krad_si: dose, vt_v, std_v: 0.0 });
        }
    }
    let found = fit(&EXP, &all).unwrap();
    let text = found.fit.warnings.join("\n");
    let told = text.split("initial slope (V_inf - V_0)/D_c is known: ").nth(1).unwrap();
    let numbers: Vec<f64> = told.split([' ', '\n']).filter_map(|word| word.parse().ok()).take(2).collect();
    let wanted = -1e3 * (2.7 - 0.7) / 1700.0;
    assert!((numbers[0] - wanted).abs() < 3.0 * numbers[1] + 0.05 * wanted.abs(), "{text}");
    assert!(numbers[1] < 0.2 * wanted.abs(), "{text}");
}

#[test]
fn cards_carry_the_law() {
    let truth = Law::Exp { dose_c_krad_si: 1700.0, vt_inf_v: 0.7 };
    let found = fit(&EXP, &points(&truth, 1)).unwrap();
    let card = DeviceCard::from_fit(&EXP, &found.fit, "points", mho_data::provenance::Origin::Synthetic);
    let card = DeviceCard::from_toml(&card.to_toml().unwrap(), "tid.toml").unwrap();
    assert_eq!(Law::from_card(&card), Some(found.law));
    assert_eq!(card.covariance.names, ["dose_c_krad_si", "vt_inf_v"]);
}

#[test]
fn nothing_moves_at_dose_zero_and_all_ends_at_the_fixed_point() {
    for model in [&EXP, &STRETCHED, &TWO_TERM, &COLLECT] {
        let law = Law::from_values(model, &model.defaults()).unwrap();
        assert!((law.threshold_v(1.3, 0.0).unwrap() - 1.3).abs() < 1e-12, "{}", model.name);
        let end = law.threshold_v(1.3, 5e4).unwrap();
        assert!((end - law.fixed_point_v()).abs() < 1e-2, "{}: {end} {}", model.name, law.fixed_point_v());
    }
}
