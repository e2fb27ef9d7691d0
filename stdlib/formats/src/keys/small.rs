//! Names of small networks: T2I-Adapters and RRDBNet.

use super::{KeyMap, index, swap};
use crate::Header;

/// A T2I-Adapter below `prefix`, in its authors' names or in diffusers', which count levels and blocks within.
pub(crate) fn adapter(header: &Header, prefix: &str) -> KeyMap {
    KeyMap::renamed(header, prefix, |name| {
        let Some(rest) = name.strip_prefix("body.") else { return Some(name.to_owned()) };
        let (level, inner) = index(rest)?;
        match inner.strip_prefix("resnets.").and_then(index) {
            Some((block, inner)) => Some(format!("body.{}.{inner}", 2 * level + block)),
            // What a level does before its first block belongs to that.
            None if header.has_prefix(&format!("{prefix}body.0.resnets.")) => {
                Some(format!("body.{}.{inner}", 2 * level))
            }
            None => Some(name.to_owned()),
        }
    })
}

/// RRDBNet in one of the two orders of names that came before BasicSR's: those of ESRGAN's first release, numbered by
/// place, and those of its second.
pub(crate) fn rrdb_old(header: &Header, prefix: &str) -> KeyMap {
    let numbers = sequence(header, prefix);
    KeyMap::renamed(header, prefix, |name| first_release(name, &numbers).or_else(|| second_release(name)))
}

/// Numbers of the modules with weights, in the order in which they run.
fn sequence(header: &Header, prefix: &str) -> Vec<usize> {
    let prefix = format!("{prefix}model.");
    let mut numbers: Vec<usize> =
        header.below(&prefix).filter_map(|(rest, _)| index(rest)).map(|(number, _)| number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// `model.0` is the first convolution, `model.1.sub.N` the blocks and their last convolution, then one convolution for
/// every doubling, then two.
fn first_release(name: &str, numbers: &[usize]) -> Option<String> {
    let (number, rest) = index(name.strip_prefix("model.")?)?;
    let place = numbers.iter().position(|&other| other == number)?;
    if let Some(rest) = rest.strip_prefix("sub.") {
        let (block, rest) = index(rest)?;
        let Some((dense, rest)) = rest.split_once('.').filter(|(dense, _)| dense.starts_with("RDB")) else {
            return Some(format!("conv_body.{rest}"));
        };
        return Some(format!("body.{block}.{}.{}", dense.to_lowercase(), rest.replacen(".0.", ".", 1)));
    }
    let name = match numbers.len().checked_sub(place)? {
        _ if place == 0 => "conv_first".to_owned(),
        1 => "conv_last".to_owned(),
        2 => "conv_hr".to_owned(),
        _ => format!("conv_up{}", place.checked_sub(1)?),
    };
    Some(format!("{name}.{rest}"))
}

fn second_release(name: &str) -> Option<String> {
    const TOP: [(&str, &str); 6] = [
        ("conv_first.", "conv_first."),
        ("conv_body.", "trunk_conv."),
        ("conv_up1.", "upconv1."),
        ("conv_up2.", "upconv2."),
        ("conv_hr.", "HRconv."),
        ("conv_last.", "conv_last."),
    ];
    if let Some(name) = TOP.iter().find_map(|(ours, theirs)| swap(name, theirs, ours)) {
        return Some(name);
    }
    let (block, rest) = index(name.strip_prefix("RRDB_trunk.")?)?;
    let (dense, rest) = rest.split_once('.')?;
    Some(format!("body.{block}.{}.{rest}", dense.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_old_orders_of_names_are_those_of_today() {
        let numbers = [0, 1, 3, 6, 8, 10];
        for (theirs, ours) in [
            ("model.0.weight", "conv_first.weight"),
            ("model.1.sub.0.RDB1.conv1.0.weight", "body.0.rdb1.conv1.weight"),
            ("model.1.sub.2.bias", "conv_body.bias"),
            ("model.3.weight", "conv_up1.weight"),
            ("model.6.weight", "conv_up2.weight"),
            ("model.8.weight", "conv_hr.weight"),
            ("model.10.bias", "conv_last.bias"),
        ] {
            assert_eq!(first_release(theirs, &numbers).as_deref(), Some(ours));
        }
        assert_eq!(first_release("model.5.bias", &[0, 1, 3, 5, 7]).as_deref(), Some("conv_hr.bias"));
        for (theirs, ours) in [
            ("RRDB_trunk.22.RDB3.conv5.bias", "body.22.rdb3.conv5.bias"),
            ("trunk_conv.weight", "conv_body.weight"),
            ("HRconv.weight", "conv_hr.weight"),
        ] {
            assert_eq!(second_release(theirs).as_deref(), Some(ours));
        }
    }
}
