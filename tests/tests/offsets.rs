//! The offset solver on the reference instances of MiniMalloc, each with a capacity that is known to suffice.

use std::fs;
use std::path::PathBuf;

use floe_driver::{Buffers, Goal};
use floe_testing::shared;

/// Steps of search that each instance may take; all together take a second or two.
const WORK: u64 = 1 << 30;

/// The instances, each with the capacity that its name says.
fn instances() -> Vec<(PathBuf, usize)> {
    let listed = fs::read_dir(shared("minimalloc")).expect("the folder can be listed");
    let paths = listed.map(|entry| entry.expect("the folder can be listed").path());
    let instance = |path: PathBuf| {
        let stem = path.file_stem()?.to_str()?.to_owned();
        let (_, capacity) = stem.rsplit_once('.')?;
        Some((path, capacity.parse().ok()?))
    };
    let mut instances: Vec<(PathBuf, usize)> = paths.filter_map(instance).collect();
    instances.sort();
    instances
}

#[test]
fn reference_instances_fit_their_capacity() {
    let instances = instances();
    assert!(instances.len() >= 9, "{} instances", instances.len());
    for (path, capacity) in instances {
        let buffers = Buffers::read(&path, 1 << 20).expect("the instance is a list of buffers");
        let packing = buffers.pack(1, Goal { height: capacity, work: WORK }).expect("it fits a machine");
        assert!(packing.height <= capacity, "{}: {} of {capacity}", path.display(), packing.height);
    }
}

/// What one packing has to say, another solver can read: the table with its offsets.
#[test]
fn tables_with_offsets_keep_what_lives_together_apart() {
    let path = shared("minimalloc/A.1048576.csv");
    let buffers = Buffers::read(&path, 1 << 20).expect("the instance is a list of buffers");
    let packing = buffers.pack(1, Goal { height: 1 << 20, work: WORK }).expect("it fits a machine");
    let table = buffers.with_offsets(&packing);
    let row = |line: &str| -> [u64; 4] {
        let numbers: Vec<u64> =
            line.split(',').skip(1).map(|field| field.parse().expect("a number")).collect();
        numbers.try_into().expect("lower, upper, size, offset")
    };
    let rows: Vec<[u64; 4]> = table.lines().skip(1).map(row).collect();
    assert_eq!(rows.len(), buffers.items.len());
    for (index, &[lower, upper, size, offset]) in rows.iter().enumerate() {
        assert!(offset + size <= 1 << 20);
        for &[from, to, other, place] in &rows[..index] {
            let together = from < upper && lower < to;
            assert!(!together || offset + size <= place || place + other <= offset);
        }
    }
}
