//! What the tests of several crates share: reference results of the folder `../shared` (or `FLOE_SHARED`), and how
//! far two tensors are apart.

mod archive;
pub mod flat;
pub mod object_info;
pub mod prompts;
mod recipes;

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

/// The folder of tiny models made from recipes, with ComfyUI's folders below it; nothing is in it before
/// [`model`] made it.
pub fn models() -> PathBuf {
    std::env::temp_dir().join("floe-models")
}

/// The model file of a recipe such as `sd15-tiny`, made where it does not exist yet.
///
/// # Panics
/// If there is no such recipe, or the file cannot be written.
pub fn model(recipe: &str) -> PathBuf {
    let spec = json(&format!("parity/specs/{recipe}.json"));
    let to = models().join(spec["file"].as_str().expect("a recipe names its file"));
    recipes::make(&spec, &to).expect("the recipe can be made");
    to
}

/// The names of all recipes, sorted.
///
/// # Panics
/// If they cannot be listed.
pub fn recipes() -> Vec<String> {
    let listed = std::fs::read_dir(shared("parity/specs")).expect("recipes can be listed");
    let names = listed.map(|entry| entry.expect("recipes can be listed").file_name());
    let mut names: Vec<String> = names
        .filter_map(|name| name.to_string_lossy().strip_suffix(".json").map(str::to_owned))
        .filter(|name| name != "sha256")
        .collect();
    names.sort();
    names
}

/// The stored bytes of one tensor of a recipe, without its file.
///
/// # Panics
/// If there is no such recipe or tensor.
pub fn recipe_tensor(recipe: &str, tensor: &str) -> Vec<u8> {
    recipes::tensor(&json(&format!("parity/specs/{recipe}.json")), tensor)
}

/// A tolerance of the manifest of reference results: of one case, `rel` or `abs` or another.
///
/// # Panics
/// If there is no such case.
pub fn tolerance(case: &str, kind: &str) -> f64 {
    let manifest = json("parity/dev/manifest.json");
    let cases = manifest["cases"].as_array().expect("a manifest lists cases");
    let found = cases.iter().find(|entry| entry["name"] == case);
    found.and_then(|entry| entry["tol"][kind].as_f64()).expect("the manifest has the case and its tolerance")
}

/// Numbers between -1 and 1, the same for the same seed.
pub fn numbers(seed: u64, count: usize) -> Vec<f32> {
    recipes::uniform(recipes::fnv1a64(&seed.to_le_bytes())).take(count).map(|value| value as f32).collect()
}
