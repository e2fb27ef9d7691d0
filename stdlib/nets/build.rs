//! Turns CLIP's merge list into a sorted table, so that the tokenizer needs no set-up at run time.
//!
//! The id of a merge is 512 plus its line; both halves are symbols that exist before it. The table
//! holds, sorted by pair, `left << 16 | right` as little-endian u32 for every merge, then the ids as
//! little-endian u16 in the same order.

use std::collections::HashMap;
use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    const SOURCE: &str = "assets/clip-merges.txt";
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=build.rs");

    let text = fs::read_to_string(SOURCE)?;
    let mut ids: HashMap<String, u16> = HashMap::new();
    for (id, symbol) in byte_symbols().into_iter().enumerate() {
        ids.insert(symbol.to_string(), id as u16);
        ids.insert(format!("{symbol}</w>"), 256 + id as u16);
    }
    let mut table: Vec<(u32, u16)> = Vec::new();
    for (rank, line) in text.lines().skip(1).filter(|line| !line.is_empty()).enumerate() {
        let (left, right) = line.split_once(' ').ok_or("a merge is two symbols")?;
        let id = u16::try_from(512 + rank)?;
        let half = |symbol: &str| ids.get(symbol).copied().ok_or(format!("unknown symbol {symbol}"));
        table.push((u32::from(half(left)?) << 16 | u32::from(half(right)?), id));
        ids.insert(format!("{left}{right}"), id);
    }
    table.sort_unstable();

    let mut bytes = Vec::with_capacity(table.len() * 6);
    table.iter().for_each(|(pair, _)| bytes.extend(pair.to_le_bytes()));
    table.iter().for_each(|(_, id)| bytes.extend(id.to_le_bytes()));
    fs::write(Path::new(&env::var("OUT_DIR")?).join("clip-merges.bin"), bytes)?;
    Ok(())
}

/// The 256 byte symbols in the order of their ids: printable bytes first, as GPT-2 orders them. Bytes
/// without a printable form are written as the characters from U+0100 on.
fn byte_symbols() -> Vec<char> {
    let printable = |byte: &u32| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let rest = (0..256).filter(|byte| !printable(byte)).count() as u32;
    let shown = (0..256).filter(printable);
    shown.chain(256..256 + rest).filter_map(char::from_u32).collect()
}
