//! `in-place`: results that may take the bytes of a value they read for the last time do.

use crate::arena::Id;
use crate::ir::Program;

/// Marks operations whose output overwrites an input.
///
/// ```text
/// %6 = conv2d %3 w0 +residual %2     ->    %6 = conv2d %3 w0 +residual %2 in-place %2
/// ```
/// Exact: the operation reads each element before it writes the one in its place
/// ([`Op::may_overwrite`](crate::ir::Op::may_overwrite)), and nothing reads it later. After `fuse`, which decides
/// what the operations are, and before `offsets`, which then gives both values one place.
pub fn in_place(program: &mut Program) -> usize {
    let last = program.last_uses();
    let mut rewrites = 0;
    for position in 0..program.ops.len() {
        let op = &program.ops[position];
        if op.in_place.is_some() || program.is_external(op.output) {
            continue;
        }
        let bytes = program.values[op.output].bytes();
        let found = op.reads().find(|&value| {
            last[value.index()] == Some(position)
                && op.may_overwrite(value)
                && !program.is_external(value)
                && program.values[value].bytes() == bytes
        });
        if let Some(value) = found {
            program.ops[position].in_place = Some(value);
            rewrites += 1;
        }
    }
    rewrites
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, program};
    use super::in_place;
    use crate::ir::{Activation, OpKind};

    #[test]
    fn an_activation_overwrites_what_nobody_reads_again() {
        let text = check(
            in_place,
            program(|b, x| {
                let y = b.linear("linear", x)?;
                let y = b.activate(Activation::Silu, y)?;
                b.linear("linear", y)
            }),
        );
        insta::assert_snapshot!(text);
    }

    /// The input is the caller's, and `%2` is read again by the sum.
    #[test]
    fn what_is_read_later_or_not_ours_is_not_overwritten() {
        let text = check(
            in_place,
            program(|b, x| {
                let y = b.activate(Activation::Silu, x)?;
                let z = b.activate(Activation::Silu, y)?;
                let sum = b.apply(OpKind::Concat, &[z, y])?;
                b.apply(OpKind::Narrow { start: 0, channels: 4 }, &[sum])
            }),
        );
        insta::assert_snapshot!(text);
    }
}
