use floe_nets::text::{CHUNK, Chunk, END, Tokenizer, has_weights};
use floe_tensor::Input;

use super::{Call, KernelError, dimensions};

/// Encodes a prompt, chunk by chunk. Weighted tokens move away from, or towards, what the empty prompt gives at
/// their position: `(z - empty) * weight + empty`.
pub(super) fn clip_text_encode(call: &mut Call<'_>) -> Result<(), KernelError> {
    let tokenizer = Tokenizer::clip();
    let chunks = tokenizer.encode_prompt(call.string("text")?, END)?;
    let weighted = has_weights(&chunks);
    let mut rows: Vec<Chunk> = chunks.clone();
    if weighted {
        rows.extend(tokenizer.encode_prompt("", END)?);
    }
    let tokens: Vec<i32> = rows.iter().flat_map(|row| row.ids.map(u32::cast_signed)).collect();
    let end: Vec<i32> = rows.iter().map(first_end).collect();

    let [hidden, pooled, slab] = call.take_scratch()?;
    let [_, _, channels] = dimensions(hidden.shape)?;
    let program = call.program(0)?;
    let inputs = [Input::I32(&tokens), Input::I32(&end)];
    program.run(call.pool, slab.data, &inputs, &mut [&mut *hidden.data, &mut *pooled.data])?;

    let row = CHUNK * channels;
    let (encoded, empty) = hidden.data.split_at_mut(chunks.len() * row);
    if weighted {
        for (chunk, states) in chunks.iter().zip(encoded.chunks_exact_mut(row)) {
            let tokens = states.chunks_exact_mut(channels).zip(empty.chunks_exact(channels));
            for ((state, empty), &weight) in tokens.zip(&chunk.weights) {
                if weight != 1.0 {
                    for (value, &empty) in state.iter_mut().zip(empty) {
                        *value = (*value - empty) * weight + empty;
                    }
                }
            }
        }
    }
    let Some(outputs) = call.take_output(0) else { return Ok(()) };
    let Ok([cond, pooled_output]) = <[_; 2]>::try_from(outputs) else {
        return Err(KernelError::Plan("a conditioning has two tensors".to_owned()));
    };
    super::copy(encoded, cond.data)?;
    super::copy(&pooled.data[..channels], pooled_output.data)
}

/// Position of the first end-of-text token, where CLIP's pooled state is taken.
fn first_end(chunk: &Chunk) -> i32 {
    let position = chunk.ids.iter().position(|&id| id == END).unwrap_or(0);
    i32::try_from(position).unwrap_or(0)
}
