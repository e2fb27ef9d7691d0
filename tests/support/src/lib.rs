//! What the tests of several crates share: reference results of the folder `../shared` (or `FLOE_SHARED`), and how
//! far two tensors are apart.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// A path under the folder of reference results.
///
/// # Panics
/// If it does not exist: a test without its data must fail loudly.
pub fn shared(path: &str) -> PathBuf {
    let root = std::env::var_os("FLOE_SHARED").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared")),
        PathBuf::from,
    );
    let full = root.join(path);
    assert!(
        full.exists(),
        "{} is missing: set FLOE_SHARED to the folder of reference results",
        full.display()
    );
    full
}

/// The f32 tensors of a safetensors file of the reference results: shape and values by name.
///
/// # Panics
/// If there is no such file.
pub fn tensors(path: &str) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let bytes = std::fs::read(shared(path)).expect("reference is readable");
    let file = safetensors::SafeTensors::deserialize(&bytes).expect("reference is safetensors");
    file.iter()
        .map(|(name, view)| {
            let values = view.data().as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four));
            (name.to_string(), (view.shape().to_vec(), values.collect()))
        })
        .collect()
}

/// A JSON file of the reference results.
///
/// # Panics
/// If there is no such file.
pub fn json(path: &str) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(shared(path)).expect("reference is readable"))
        .expect("reference is JSON")
}

/// Relative L2 distance and largest difference, the two measures of the manifest.
///
/// # Panics
/// If the numbers of values differ.
pub fn distance(got: &[f32], want: &[f32]) -> (f64, f64) {
    assert_eq!(got.len(), want.len(), "number of values");
    let (mut error, mut norm, mut max) = (0f64, 0f64, 0f64);
    for (&g, &w) in got.iter().zip(want) {
        let d = f64::from(g) - f64::from(w);
        error += d * d;
        norm += f64::from(w) * f64::from(w);
        max = if d.abs() <= max { max } else { d.abs() };
    }
    (error.sqrt() / norm.sqrt().max(1e-30), max)
}

/// Requires a relative L2 distance within `rel`, or every difference within `abs`.
///
/// # Panics
/// If neither holds.
#[track_caller]
pub fn assert_close(name: &str, got: &[f32], want: &[f32], rel: f64, abs: f64) {
    let (l2, max) = distance(got, want);
    println!("{name}: relative L2 {l2:.2e}, largest difference {max:.2e}");
    assert!(
        l2 <= rel || max <= abs,
        "{name}: relative L2 {l2:e} > {rel:e}, largest difference {max:e} > {abs:e}"
    );
}

/// The number of values whose bits differ.
///
/// # Panics
/// If the numbers of values differ.
#[track_caller]
pub fn different_bits(got: &[f32], want: &[f32]) -> usize {
    assert_eq!(got.len(), want.len(), "number of values");
    got.iter().zip(want).filter(|(g, w)| g.to_bits() != w.to_bits()).count()
}
