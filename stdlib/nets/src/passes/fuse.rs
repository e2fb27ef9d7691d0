//! `fuse`: bias, residual and activation become part of the product or norm before them.

use crate::arena::Id;
use crate::ir::{Epilogue, Op, OpKind, Program, ValueId};

/// Merges an elementwise operation into the one that computes its input, where nothing else reads that input.
///
/// ```text
/// %4 = conv2d %3 w0                  %6 = conv2d %3 w0 +bias w1 +residual %2
/// %5 = add-bias %4 w1          ->    %8 = group-norm %6 w2 w3 +silu
/// %6 = add %5 %2
/// %7 = group-norm %6 w2 w3
/// %8 = activate silu %7
/// ```
/// Bit-exact: the epilogue does the same additions in the same order, only before the store. A bias may follow
/// nothing, a residual at most a bias, an activation anything but another one. The first pass, since it removes
/// values that the others would have to place.
pub fn fuse(program: &mut Program) -> usize {
    let mut uses = vec![0_usize; program.values.len()];
    for op in &program.ops {
        for value in op.reads() {
            uses[value.index()] += 1;
        }
    }
    for port in &program.outputs {
        uses[port.value.index()] += 1;
    }
    let mut rewrites = 0;
    let mut result: Vec<Op> = Vec::with_capacity(program.ops.len());
    // Where the operation that defines a value stands in `result`.
    let mut defined_at: Vec<Option<usize>> = vec![None; program.values.len()];
    let mut removed = Vec::new();
    for op in std::mem::take(&mut program.ops) {
        let fused = op.inputs.iter().find_map(|&value| {
            let at = defined_at[value.index()].filter(|_| uses[value.index()] == 1)?;
            let epilogue = absorb(&result[at], &op, value)?;
            Some((at, epilogue))
        });
        let op = match fused {
            // The merged operation stands where the later one stood, so that all it reads is defined.
            Some((at, epilogue)) => {
                rewrites += 1;
                removed.push(at);
                Op { epilogue, output: op.output, ..result[at].clone() }
            }
            None => op,
        };
        defined_at[op.output.index()] = Some(result.len());
        result.push(op);
    }
    let mut position = 0;
    result.retain(|_| {
        position += 1;
        !removed.contains(&(position - 1))
    });
    program.ops = result;
    rewrites
}

/// The epilogue of `first` with `second`, which reads `value` from it, added; `None` where that cannot be.
fn absorb(first: &Op, second: &Op, value: ValueId) -> Option<Epilogue> {
    let product = matches!(first.kind, OpKind::Conv2d { .. } | OpKind::Linear);
    let norm = matches!(first.kind, OpKind::GroupNorm { .. } | OpKind::LayerNorm { .. });
    let done = first.epilogue;
    match second.kind {
        OpKind::AddBias if product && done == Epilogue::default() => {
            Some(Epilogue { bias: second.weights.first().copied(), ..done })
        }
        OpKind::Add if product && done.residual.is_none() && done.activation.is_none() => {
            let residual = second.inputs.iter().copied().find(|&other| other != value);
            residual.map(|residual| Epilogue { residual: Some(residual), ..done })
        }
        OpKind::Activate(activation) if (product || norm) && done.activation.is_none() => {
            Some(Epilogue { activation: Some(activation), ..done })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, program};
    use super::fuse;
    use crate::ir::{Activation, OpKind, Padding};

    #[test]
    fn bias_residual_and_activation_join_their_product() {
        let text = check(
            fuse,
            program(|b, x| {
                let y = b.conv2d("conv", x, 1, Padding::all(1))?;
                let y = b.add(y, x)?;
                let y = b.group_norm("norm", y, 2, 1e-5)?;
                b.activate(Activation::Silu, y)
            }),
        );
        insta::assert_snapshot!(text);
    }

    /// The sum reads the product before its activation: both must exist.
    #[test]
    fn a_value_that_is_read_twice_stays() {
        let text = check(
            fuse,
            program(|b, x| {
                let y = b.linear("linear", x)?;
                let z = b.activate(Activation::Silu, y)?;
                b.apply(OpKind::Concat, &[z, y])
            }),
        );
        insta::assert_snapshot!(text);
    }

    /// `(a + act(b)) + c` has no epilogue of that order.
    #[test]
    fn nothing_joins_behind_an_activation() {
        let text = check(
            fuse,
            program(|b, x| {
                let y = b.linear("linear", x)?;
                let y = b.activate(Activation::Silu, y)?;
                b.add(y, x)
            }),
        );
        insta::assert_snapshot!(text);
    }
}
