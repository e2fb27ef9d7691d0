use std::sync::Arc;

use floe_nets::ProgramSpec;
use floe_nets::arch::{Pooled, TextEncoder, TextOptions};
use floe_nets::text::{CHUNK, Chunk, END, Tokenizer, has_weights};
use floe_tensor::{Executable, Input};

use super::{Call, KernelError, TensorMut};

/// Encodes one text with every encoder.
pub(super) fn clip_text_encode(call: &mut Call<'_>) -> Result<(), KernelError> {
    let text = call.string("text")?;
    encode(call, |_| text)
}

/// Encodes a text for each of the encoders.
pub(super) fn clip_text_encode_sdxl(call: &mut Call<'_>) -> Result<(), KernelError> {
    let (first, second) = (call.string("text_l")?, call.string("text_g")?);
    encode(call, |encoder| if encoder == TextEncoder::L { first } else { second })
}

/// A text encoder of the call, and its text in chunks.
struct Encoder<'a> {
    program: &'a Arc<Executable>,
    options: TextOptions,
    chunks: Vec<Chunk>,
}

impl<'a> Encoder<'a> {
    fn new<'t>(
        program: &'a Arc<Executable>,
        text: impl Fn(TextEncoder) -> &'t str,
    ) -> Result<Encoder<'a>, KernelError> {
        let name = &program.program().name;
        let Some(ProgramSpec::ClipText { options, .. }) = ProgramSpec::parse(name) else {
            return Err(KernelError::Plan(format!("`{name}` is no text encoder")));
        };
        let chunks = Tokenizer::clip().encode_prompt(text(options.encoder), options.encoder.pad())?;
        Ok(Encoder { program, options, chunks })
    }

    /// What fills up the chunks of a shorter text, and what weighted tokens are compared with.
    fn empty(&self) -> Result<Vec<Chunk>, KernelError> {
        Ok(Tokenizer::clip().encode_prompt("", self.options.encoder.pad())?)
    }
}

/// Encodes texts chunk by chunk and puts what the encoders give side by side. Weighted tokens move away from, or
/// towards, what the empty prompt gives at their position: `(z - empty) * weight + empty`.
fn encode<'t>(call: &mut Call<'_>, text: impl Fn(TextEncoder) -> &'t str) -> Result<(), KernelError> {
    let encoders = call.programs.iter().map(|program| Encoder::new(program, &text));
    let encoders = encoders.collect::<Result<Vec<_>, _>>()?;
    let count = encoders.iter().map(|encoder| encoder.chunks.len()).max().unwrap_or(0);
    let mut scratch = std::mem::take(&mut call.scratch);
    let missing = || KernelError::Plan("working memory is missing".to_owned());
    let slab = scratch.pop().ok_or_else(missing)?;
    let mut scratch = scratch.into_iter();
    let mut encoded: Vec<TensorMut<'_>> = Vec::new();
    let mut sentence = None;
    for encoder in encoders {
        let mut hidden = scratch.next().ok_or_else(missing)?;
        let pooled = match encoder.options.pooled {
            Pooled::None => None,
            Pooled::Plain | Pooled::Projected => Some(scratch.next().ok_or_else(missing)?),
        };
        let mut rows = encoder.chunks.clone();
        let empty = encoder.empty()?;
        rows.resize(count, empty[0].clone());
        if has_weights(&encoder.chunks) {
            rows.extend(empty);
        }
        let tokens: Vec<i32> = rows.iter().flat_map(|row| row.ids.map(u32::cast_signed)).collect();
        let end: Vec<i32> = rows.iter().map(first_end).collect();
        match pooled {
            None => {
                let inputs = [Input::I32(&tokens)];
                encoder.program.run(call.pool, slab.data, &inputs, &mut [&mut *hidden.data])?;
            }
            Some(pooled) => {
                let inputs = [Input::I32(&tokens), Input::I32(&end)];
                let outputs = &mut [&mut *hidden.data, &mut *pooled.data];
                encoder.program.run(call.pool, slab.data, &inputs, outputs)?;
                // That of the first chunk.
                sentence = Some(pooled.data[..pooled.data.len() / rows.len()].to_vec());
            }
        }
        weigh(&encoder.chunks, count, &mut hidden);
        encoded.push(hidden);
    }
    let Some(outputs) = call.take_output(0) else { return Ok(()) };
    let Ok([cond, pooled_output]) = <[_; 2]>::try_from(outputs) else {
        return Err(KernelError::Plan("a conditioning has two tensors".to_owned()));
    };
    side_by_side(&encoded, count * CHUNK, cond.data)?;
    super::copy(&sentence.unwrap_or_default(), pooled_output.data)
}

/// Applies the weights of tokens; the row behind all chunks is that of the empty prompt.
fn weigh(chunks: &[Chunk], count: usize, hidden: &mut TensorMut<'_>) {
    if !has_weights(chunks) {
        return;
    }
    let row = hidden.data.len() / (count + 1);
    let channels = row / CHUNK;
    let (encoded, empty) = hidden.data.split_at_mut(count * row);
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

/// Puts the channels of all encoders into each of so many tokens.
fn side_by_side(encoded: &[TensorMut<'_>], tokens: usize, out: &mut [f32]) -> Result<(), KernelError> {
    let channels: Vec<usize> =
        encoded.iter().map(|states| states.shape.last().copied().unwrap_or(0)).collect();
    let all: usize = channels.iter().sum();
    if out.len() != tokens * all || all == 0 {
        return Err(KernelError::Plan(format!("{} values for {tokens} tokens of {all}", out.len())));
    }
    for (token, out) in out.chunks_exact_mut(all).enumerate() {
        let mut rest = out;
        for (states, &channels) in encoded.iter().zip(&channels) {
            let (place, after) = rest.split_at_mut(channels);
            place.copy_from_slice(&states.data[token * channels..(token + 1) * channels]);
            rest = after;
        }
    }
    Ok(())
}

/// Position of the first end-of-text token, where CLIP's pooled state is taken.
fn first_end(chunk: &Chunk) -> i32 {
    let position = chunk.ids.iter().position(|&id| id == END).unwrap_or(0);
    i32::try_from(position).unwrap_or(0)
}
