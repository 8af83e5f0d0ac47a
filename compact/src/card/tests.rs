use super::*;
use crate::fit::{FitOptions, Parameter, Problem, least_squares};
use proptest::prelude::*;

/// An EKV card whose threshold and specific current were fitted to a few points.
fn fitted() -> DeviceCard {
    let parameters = vec![
        model::find("ekv").unwrap().parameter("vt_v").unwrap().starting_at(0.3),
        model::find("ekv").unwrap().parameter("i_spec_a").unwrap().starting_at(1e-6),
        Parameter::new("start_of_device_3_v", "V", 0.0, -1.0, 1.0, Transform::Linear),
    ];
    let problem = Problem::new(parameters, |p| {
        let data = [0.41, 0.62, 0.79, 1.02, 1.18, 1.43];
        data.iter()
            .enumerate()
            .map(|(i, y)| {
                (y - p[0] - 0.2 * i as f64 * (p[1] / 1e-6).ln().exp()) + 0.1 * p[2] * (i as f64).sin()
            })
            .collect()
    });
    let fit = least_squares(&problem, &FitOptions::default()).unwrap();
    DeviceCard::from_fit(&crate::ekv::INFO, &fit, "a few points", Origin::Synthetic)
}

#[test]
fn documents_come_back_as_they_were() {
    let card = fitted();
    let text = card.to_toml().unwrap();
    assert_eq!(DeviceCard::from_toml(&text, "card.toml").unwrap(), card);
    for key in [
        "schema = 1",
        "model = \"ekv\"",
        "version = 1",
        "[parameters.vt_v]",
        "[covariance]",
        "[validity]",
        "[provenance]",
    ] {
        assert!(text.contains(key), "{key} in\n{text}");
    }
    assert_eq!(card.covariance.names, ["vt_v", "i_spec_a"]);
    assert!(card.provenance.origin.contains("synthetic"));
}

proptest! {
    #[test]
    fn any_sound_card_comes_back(
        value in -9.0f64..9.0, std in 0.0f64..10.0, correlation in -0.99f64..0.99, note in "[ -~]{0,40}",
    ) {
        let mut card = fitted();
        card.parameters.get_mut("vt_v").unwrap().value = value;
        card.parameters.get_mut("vt_v").unwrap().std = Some(std);
        let covariance = correlation * std * 1e-7;
        card.covariance.matrix = vec![vec![std * std, covariance], vec![covariance, 1e-14]];
        card.provenance.notes = vec![note];
        let text = card.to_toml().unwrap();
        prop_assert_eq!(DeviceCard::from_toml(&text, "card.toml").unwrap(), card);
    }

    #[test]
    fn samples_stay_inside_their_bounds(std in 0.0f64..100.0, index in 0u64..1000) {
        let mut card = fitted();
        card.covariance.matrix = vec![vec![std * std, 0.0], vec![0.0, 1e-6]];
        let sample = card.sample(&Stream::new(1, &["bounds"], &[]), index);
        for (k, value) in sample.iter().enumerate() {
            prop_assert!((card.covariance.lower[k]..=card.covariance.upper[k]).contains(value));
        }
    }
}

/// Mean, spread and correlation of samples are those of the card, within five standard errors.
#[test]
fn samples_have_the_covariance_of_the_card() {
    let mut card = fitted();
    let (a, b, correlation) = (0.01, 2e-8, -0.8);
    card.covariance.matrix = vec![vec![a * a, correlation * a * b], vec![correlation * a * b, b * b]];
    let stream = Stream::new(7, &["card"], &[]);
    let count = 4000u64;
    let (x0, y0) = (card.value("vt_v"), card.value("i_spec_a"));
    let mut sums = [0.0; 3];
    for index in 0..count {
        let sample = card.sample(&stream, index);
        let (x, y) = ((sample[0] - x0) / a, (sample[1] - y0) / b);
        sums[0] += x * x;
        sums[1] += y * y;
        sums[2] += x * y;
    }
    let [xx, yy, xy] = sums.map(|sum| sum / count as f64);
    assert!((xx - 1.0).abs() < 5.0 * (2.0 / count as f64).sqrt(), "{xx}");
    assert!((yy - 1.0).abs() < 0.02 + 5.0 * (2.0 / count as f64).sqrt(), "{yy}");
    assert!((xy - correlation).abs() < 0.02 + 5.0 / (count as f64).sqrt(), "{xy}");
    assert_eq!(card.sampled(&stream, 3).value("vt_v"), card.sample(&stream, 3)[0]);
    assert_eq!(card.sample(&stream, 3), card.sample(&stream, 3));
}

#[test]
fn parameters_without_variance_keep_their_values() {
    let mut card = fitted();
    card.covariance.matrix = vec![vec![1e-4, 0.0], vec![0.0, 0.0]];
    let sample = card.sample(&Stream::new(1, &[], &[]), 0);
    assert_ne!(sample[0], card.value("vt_v"));
    assert_eq!(sample[1], card.value("i_spec_a"));
}

/// Each spoilt card: what to replace, by what, and what the error must name.
#[test]
fn bad_cards_are_refused_with_file_and_line() {
    let good = fitted().to_toml().unwrap();
    let cases = [
        ("schema = 1", "schema = 2", "found schema 2"),
        ("model = \"ekv\"", "model = \"ekw\"", "found model `ekw`, expected one of ekv"),
        ("[parameters.dibl]", "[parameters.dible]", "found parameter `dible`"),
        ("[parameters.dibl]\nvalue = 0.05", "[parameters.dibl]\nvalue = \"high\"", "invalid type"),
        ("[parameters.dibl]\nvalue = 0.05", "[parameters.dibl]\nvalu = 0.05", "unknown field `valu`"),
        ("[parameters.dibl]\nvalue = 0.05", "[parameters.dibl]\nvalue = nan", "found dibl = NaN"),
        ("unit = \"V/K\"", "unit = \"mV/K\"", "expected unit `V/K`"),
        ("names = [\"vt_v\", ", "names = [", "expected a square matrix"),
        ("schema = 1", "schema = ", "expected a device card"),
    ];
    for (from, to, wanted) in cases {
        assert!(good.contains(from), "{from} in\n{good}");
        let bad = good.replacen(from, to, 1);
        let error = DeviceCard::from_toml(&bad, "my-card.toml").unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("my-card.toml:"), "{text}");
        assert!(error.line.is_some_and(|line| line <= bad.lines().count()), "{text}");
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
}

#[test]
fn the_line_is_the_right_one() {
    let good = fitted().to_toml().unwrap();
    let line = good.lines().position(|line| line.starts_with("[parameters.dibl]")).unwrap();
    let bad = good.replacen("[parameters.dibl]\nvalue = 0.05", "[parameters.dibl]\nvalue = \"high\"", 1);
    assert_eq!(DeviceCard::from_toml(&bad, "c.toml").unwrap_err().line, Some(line + 2));
}
