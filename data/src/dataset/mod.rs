//! Image data sets: two that come with mho, others where the user has them; and samples of any shape.

mod cifar;
mod idx;
mod samples;

pub use cifar::read_cifar;
pub use idx::{Idx, read_idx};
pub use samples::{Part, Samples, sample_sets, samples, samples_from_folder};

use crate::error::InputError;
use std::path::{Path, PathBuf};

/// Labelled images, row-major, channels last plane first: `pixels[((n * channels + c) * rows + y) * cols + x]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    /// Grey values 0 to 255.
    pub pixels: Vec<u8>,
    /// One class per image.
    pub labels: Vec<u8>,
    /// Rows of an image.
    pub rows: usize,
    /// Columns of an image.
    pub cols: usize,
    /// Planes of an image.
    pub channels: usize,
}

/// A data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Name, as [`find`] takes it.
    pub name: String,
    /// Images to train on.
    pub train: Images,
    /// Images to test on.
    pub test: Images,
    /// Number of classes.
    pub classes: usize,
}

/// What is known of a data set before it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// Name.
    pub name: &'static str,
    /// Images for training and for testing.
    pub sizes: (usize, usize),
    /// What to cite.
    pub citation: &'static str,
    /// Under which terms.
    pub licence: &'static str,
    /// Whether it comes with mho.
    pub built_in: bool,
    /// Its files, each also with `.gz` at the end; none where built in.
    pub files: &'static [&'static str],
    /// BLAKE3 of the decompressed files in their order; none where nobody knows them.
    digests: &'static [&'static str],
}

/// The four files of an MNIST-like set, each also with `.gz` at the end.
pub const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// Images of `digits` that are for training; the rest are for testing.
const DIGITS_TRAIN: usize = 1437;

/// Every data set that mho knows.
pub const KNOWN: [About; 5] = [
    About {
        name: "digits",
        sizes: (DIGITS_TRAIN, 1797 - DIGITS_TRAIN),
        citation: "E. Alpaydin, C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998)",
        licence: "CC BY 4.0 (UCI); BSD-3-Clause (scikit-learn's form)",
        built_in: true,
        files: &[],
        digests: &[],
    },
    About {
        name: "fashion-demo",
        sizes: (4000, 1000),
        citation: "H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, arXiv:1708.07747 (2017); its first 4,000 + 1,000 images",
        licence: "MIT, (c) 2017 Zalando SE",
        built_in: true,
        files: &[],
        digests: &[],
    },
    About {
        name: "mnist",
        sizes: (60_000, 10_000),
        citation: "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Proc. IEEE 86, 2278 (1998)",
        licence: "not stated by its authors; not distributed with mho",
        built_in: false,
        files: &FILES,
        digests: &[
            "c6e6fd8c67d07c8a9b7bffa7dd0413ff4b8af241607b049b7721107f379df9fd",
            "8ebcfdf2fe191516f9cb37fceb75d2d19289d91ee92026534ed45e44144b5642",
            "f8d502322cd9f186e155a74a3dff598ed56c1a7b5a5c8d312749ac47c4a2bec7",
            "6d43ea317fa8f5851bb85404bb7358defd48b0294cf31f60cdcde8106fe2c3ad",
        ],
    },
    About {
        name: "fashion-mnist",
        sizes: (60_000, 10_000),
        citation: "H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST, arXiv:1708.07747 (2017)",
        licence: "MIT, (c) 2017 Zalando SE",
        built_in: false,
        files: &FILES,
        digests: &[
            "feaca08b36e07f8d504641a929bff1554884ef73964323e44e59e39a986b4c9e",
            "b4d9ea8013b029ef778c95ea7de31195ef443589877589523ad330db2829ebd6",
            "a19b8c1e5f798e5a6fa7229093b630c04a620179497a1fa3a71e7334fb59a30b",
            "0a067399ed18bcc9d7dc26832b3b8e4481abf2d33fee04c611e90b9061296b90",
        ],
    },
    About {
        name: "cifar10",
        sizes: (50_000, 10_000),
        citation: "A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images (2009); its binary form",
        licence: "not stated by its author; not distributed with mho",
        built_in: false,
        files: &cifar::FILES,
        // Copies that were decoded anew differ from the original by a level here and there.
        digests: &[],
    },
];

impl About {
    /// Whether installing compares the content with a known one.
    pub fn is_compared(&self) -> bool {
        !self.digests.is_empty()
    }
}

/// What is known of a data set.
pub fn about(name: &str) -> Option<&'static About> {
    KNOWN.iter().find(|about| about.name == name)
}

/// Folders in which data sets are looked for: `MHO_DATA`, then where `mho data get` puts them.
fn roots() -> Vec<PathBuf> {
    std::env::var_os("MHO_DATA").map(PathBuf::from).into_iter().chain(install_folder()).collect()
}

/// Where `mho data get` puts data sets: `XDG_DATA_HOME/mho`, or `.local/share/mho` in the home folder.
pub fn install_folder() -> Option<PathBuf> {
    std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share")))
        .map(|base| base.join("mho"))
}

/// Where the files of a data set lie, if they are there.
pub fn location(name: &str) -> Option<PathBuf> {
    let files = about(name)?.files;
    let whole = |folder: &PathBuf| files.iter().all(|file| present(folder, file).is_some());
    roots().into_iter().map(|root| root.join(name)).find(whole).filter(|_| !files.is_empty())
}

/// The file of a trained network: `networks/NAME.safetensors` under `MHO_DATA`, or where data sets are
/// installed.
pub fn network_file(name: &str) -> Option<PathBuf> {
    let file = |root: PathBuf| root.join("networks").join(format!("{name}.safetensors"));
    roots().into_iter().map(file).find(|path| path.is_file())
}

fn present(folder: &Path, file: &str) -> Option<PathBuf> {
    // The last is the folder that the archive of CIFAR-10 unpacks to.
    [folder.to_path_buf(), folder.join("cifar-10-batches-bin")]
        .into_iter()
        .flat_map(|folder| [folder.join(file), folder.join(format!("{file}.gz"))])
        .find(|path| path.is_file())
}

/// Reads a data set by name.
///
/// # Errors
/// An unknown name, one that is not installed, or files that are not what they should be.
pub fn find(name: &str) -> Result<Dataset, InputError> {
    match name {
        "digits" => digits(),
        "fashion-demo" => from_files(
            name,
            [
                (
                    "fashion-demo train images",
                    include_bytes!("../../files/datasets/fashion-1k/train-images-idx3-ubyte.gz"),
                ),
                (
                    "fashion-demo train labels",
                    include_bytes!("../../files/datasets/fashion-1k/train-labels-idx1-ubyte.gz"),
                ),
                (
                    "fashion-demo test images",
                    include_bytes!("../../files/datasets/fashion-1k/t10k-images-idx3-ubyte.gz"),
                ),
                (
                    "fashion-demo test labels",
                    include_bytes!("../../files/datasets/fashion-1k/t10k-labels-idx1-ubyte.gz"),
                ),
            ],
        ),
        _ if about(name).is_some() => {
            let folder = location(name).ok_or_else(|| {
                InputError::new(
                    name,
                    "a data set that is not installed",
                    format!("its files under MHO_DATA/{name}, or `mho data get {name} --from DIR` once"),
                )
            })?;
            from_folder(name, &folder)
        }
        _ if sample_sets().iter().any(|(known, _)| known == name) => Err(InputError::new(
            name,
            "a data set of arrays, not of images",
            "images; arrays are for networks that were trained elsewhere",
        )),
        _ => {
            let known: Vec<&str> = KNOWN.iter().map(|about| about.name).collect();
            Err(InputError::new(name, "no such data set", format!("one of {}", known.join(", "))))
        }
    }
}

/// Reads a data set from its files in a folder: `cifar10` from batches, any other name from IDX files.
///
/// # Errors
/// A missing or damaged file.
pub fn from_folder(name: &str, folder: &Path) -> Result<Dataset, InputError> {
    let files = about(name).map(|about| about.files).filter(|files| !files.is_empty()).unwrap_or(&FILES);
    let mut contents = Vec::with_capacity(files.len());
    for file in files {
        let path = present(folder, file).ok_or_else(|| {
            let shown = folder.join(file).display().to_string();
            InputError::new(shown, "no such file", "this file of the data set, or the same with .gz")
        })?;
        let shown = path.display().to_string();
        let bytes = std::fs::read(&path)
            .map_err(|error| InputError::new(shown.clone(), error.to_string(), "a readable file"))?;
        contents.push((shown, bytes));
    }
    if let [a, b, c, d] = contents.as_slice() {
        return from_files(name, [a, b, c, d].map(|(shown, bytes)| (shown.as_str(), bytes.as_slice())));
    }
    let mut batches = contents.iter().map(|(shown, bytes)| read_cifar(bytes, shown));
    let mut next =
        || batches.next().unwrap_or_else(|| Err(InputError::new(name, "too few files", "all batches")));
    let mut train = next()?;
    for _ in 2..files.len() {
        let batch = next()?;
        train.pixels.extend(batch.pixels);
        train.labels.extend(batch.labels);
    }
    Ok(Dataset { name: name.to_owned(), train, test: next()?, classes: 10 })
}

/// Installs a data set from a folder: reads it, compares its content with what is known, and copies the
/// files under `into/NAME`.
///
/// # Errors
/// An unknown name, files that are not what they should be, or a folder that cannot be written.
pub fn install(name: &str, from: &Path, into: &Path) -> Result<PathBuf, InputError> {
    let about = about(name).filter(|about| !about.built_in).ok_or_else(|| {
        InputError::new(
            name,
            "not a data set to install",
            "mnist, fashion-mnist or cifar10; others are built in",
        )
    })?;
    let dataset = from_folder(name, from)?;
    let found = (dataset.train.labels.len(), dataset.test.labels.len());
    if found != about.sizes {
        let expected = format!("{} and {}", about.sizes.0, about.sizes.1);
        return Err(InputError::new(name, format!("{} and {} images", found.0, found.1), expected));
    }
    let target = into.join(name);
    let wrong = |path: &Path, error: std::io::Error| {
        InputError::new(path.display().to_string(), error.to_string(), "a folder that can be written")
    };
    // Every file is checked before the first one is written: a bad set leaves nothing behind.
    let mut checked = Vec::with_capacity(about.files.len());
    for (index, file) in about.files.iter().enumerate() {
        let Some(path) = present(from, file) else { continue };
        let bytes = std::fs::read(&path).map_err(|error| wrong(&path, error))?;
        let shown = path.display().to_string();
        let content = blake3::hash(&idx::decompress(&bytes, &shown)?).to_hex().to_string();
        if let Some(digest) = about.digests.get(index).filter(|digest| content != **digest) {
            return Err(InputError::new(
                shown,
                format!("content {}", &content[..16]),
                digest[..16].to_owned(),
            ));
        }
        checked.push((path.file_name().map_or_else(|| (*file).into(), |n| n.to_os_string()), bytes));
    }
    std::fs::create_dir_all(&target).map_err(|error| wrong(&target, error))?;
    for (name, bytes) in checked {
        let part = target.join(format!(".{}.part", name.to_string_lossy()));
        std::fs::write(&part, &bytes).map_err(|error| wrong(&part, error))?;
        std::fs::rename(&part, target.join(&name)).map_err(|error| wrong(&target, error))?;
    }
    Ok(target)
}

fn digits() -> Result<Dataset, InputError> {
    let images = images(
        ("digits images", include_bytes!("../../files/datasets/digits8x8/digits-images-idx3-ubyte.gz")),
        ("digits labels", include_bytes!("../../files/datasets/digits8x8/digits-labels-idx1-ubyte.gz")),
    )?;
    let size = images.rows * images.cols;
    // Values 0 to 16 become grey values: what a network sees does not depend on the data set's scale.
    let pixels: Vec<u8> = images.pixels.iter().map(|&v| (u16::from(v.min(16)) * 255 / 16) as u8).collect();
    let part = |from: usize, to: usize| Images {
        pixels: pixels[from * size..to * size].to_vec(),
        labels: images.labels[from..to].to_vec(),
        ..images.clone()
    };
    let count = images.labels.len();
    Ok(Dataset {
        name: "digits".into(),
        train: part(0, DIGITS_TRAIN.min(count)),
        test: part(DIGITS_TRAIN.min(count), count),
        classes: 10,
    })
}

fn from_files(name: &str, files: [(&str, &[u8]); 4]) -> Result<Dataset, InputError> {
    let [train_images, train_labels, test_images, test_labels] = files;
    Ok(Dataset {
        name: name.to_owned(),
        train: images(train_images, train_labels)?,
        test: images(test_images, test_labels)?,
        classes: 10,
    })
}

fn images(
    (name, bytes): (&str, &[u8]),
    (label_name, label_bytes): (&str, &[u8]),
) -> Result<Images, InputError> {
    let pixels = read_idx(bytes, name)?;
    let labels = read_idx(label_bytes, label_name)?;
    let [count, rows, cols] = pixels.shape[..] else {
        return Err(InputError::new(
            name,
            format!("{} dimensions", pixels.shape.len()),
            "3: images, rows, columns",
        ));
    };
    if labels.shape != [count] {
        return Err(InputError::new(
            label_name,
            format!("{:?} labels", labels.shape),
            format!("{count}, one per image"),
        ));
    }
    if let Some(position) = labels.values.iter().position(|&label| label > 9) {
        let found = format!("label {} at byte {}", labels.values[position], 8 + position);
        return Err(InputError::new(label_name, found, "labels 0 to 9"));
    }
    Ok(Images { pixels: pixels.values, labels: labels.values, rows, cols, channels: 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_sets_are_whole() {
        for about in KNOWN.iter().filter(|about| about.built_in) {
            let set = find(about.name).unwrap();
            assert_eq!((set.train.labels.len(), set.test.labels.len()), about.sizes);
            for images in [&set.train, &set.test] {
                assert_eq!(images.pixels.len(), images.labels.len() * images.rows * images.cols);
                assert!((0..10).all(|class| images.labels.contains(&class)));
            }
        }
        // Class counts of the UCI digits (scikit-learn's documentation).
        let digits = find("digits").unwrap();
        let count = |class: u8| {
            digits.train.labels.iter().chain(&digits.test.labels).filter(|&&l| l == class).count()
        };
        assert_eq!(
            (0..10).map(count).collect::<Vec<_>>(),
            [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
        );
    }

    #[test]
    fn an_absent_or_unknown_set_says_what_to_do() {
        assert!(find("imagenet").unwrap_err().to_string().contains("fashion-demo"));
        let empty = tempfile::tempdir().unwrap();
        let error = install("mnist", empty.path(), empty.path()).unwrap_err();
        assert!(error.to_string().contains("train-images"), "{error}");
    }

    #[test]
    fn batches_of_cifar_are_installed_by_their_form() {
        let from = tempfile::tempdir().unwrap();
        let inside = from.path().join("cifar-10-batches-bin");
        std::fs::create_dir(&inside).unwrap();
        for (number, file) in cifar::FILES.iter().enumerate() {
            let record = [vec![number as u8], vec![number as u8; 3072]].concat();
            std::fs::write(inside.join(file), record.repeat(10_000)).unwrap();
        }
        let into = tempfile::tempdir().unwrap();
        let place = install("cifar10", from.path(), into.path()).unwrap();
        let set = from_folder("cifar10", &place).unwrap();
        assert_eq!((set.train.labels.len(), set.test.labels.len()), (50_000, 10_000));
        assert_eq!((set.train.labels[49_999], set.test.labels[0], set.test.channels), (4, 5, 3));
        std::fs::remove_file(place.join("data_batch_3.bin")).unwrap();
        assert!(from_folder("cifar10", &place).unwrap_err().to_string().contains("data_batch_3.bin"));
    }

    #[test]
    fn full_sets_have_the_known_content() {
        for name in ["mnist", "fashion-mnist"] {
            let Some(folder) = crate::shared::find(&format!("datasets/{name}")) else { continue };
            let into = tempfile::tempdir().unwrap();
            let place = install(name, &folder, into.path()).unwrap();
            assert_eq!(from_folder(name, &place).unwrap().test.labels.len(), 10_000);

            // Labels of the right shape and another content: refused, and nothing is left behind.
            let forged = tempfile::tempdir().unwrap();
            for file in FILES {
                let bytes = std::fs::read(present(&place, file).unwrap()).unwrap();
                std::fs::write(forged.path().join(format!("{file}.gz")), bytes).unwrap();
            }
            let labels = [&[0, 0, 8, 1, 0, 0, 0x27, 0x10][..], &[0; 10_000]].concat();
            std::fs::write(forged.path().join(FILES[3]), labels).unwrap();
            let into = tempfile::tempdir().unwrap();
            let error = install(name, forged.path(), into.path()).unwrap_err();
            assert!(error.found.starts_with("content"), "{error}");
            assert!(!into.path().join(name).exists());
        }
    }
}
