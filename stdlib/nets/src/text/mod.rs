//! Prompts to tokens: CLIP's byte pairs, ComfyUI's weights. A prompt's length in chunks is part of a program's
//! shape, so the compiler asks here too.

mod prompt;
mod tokenizer;

pub use prompt::{CHUNK, Chunk, PromptChunk, PromptError, PromptToken, embedding_names, has_weights};
pub use tokenizer::{END, START, Tokenizer, VOCABULARY};
