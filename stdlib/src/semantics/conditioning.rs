use floe_formats::Part;
use floe_nets::ProgramSpec;
use floe_nets::arch::TextOptions;
use floe_nets::text::{CHUNK, END, Tokenizer, has_weights};

use super::{Call, ProgramUse, Purity, Scratch, SemanticError, Semantics, Work, dim};
use crate::facts::{Conditioning, Fact};

pub(super) const CLIP_TEXT_ENCODE: Semantics = Semantics {
    name: "CLIPTextEncode",
    purity: Purity::Pure,
    loader: None,
    batchable: false,
    infer: clip_text_encode,
};

fn clip_text_encode(call: &Call<'_>) -> Result<Work, SemanticError> {
    let file = call.network("clip", Part::Clip)?;
    let channels = dim("clip", file, Part::Clip, "embeddings.token_embedding.weight", 1)?;
    let input = "text";
    let chunks = Tokenizer::clip()
        .encode_prompt(call.string(input), END)
        .map_err(|error| SemanticError::Prompt { input, reason: error.to_string() })?;
    // Weighted tokens move away from what the empty prompt gives, which is one more row.
    let rows = chunks.len() + usize::from(has_weights(&chunks));
    let conditioning = Conditioning { tokens: chunks.len() * CHUNK, channels, encoder: file.clone() };
    Ok(Work {
        outputs: vec![Fact::Conditioning(conditioning)],
        scratch: vec![
            Scratch { name: "hidden", shape: vec![rows, CHUNK, channels] },
            Scratch { name: "pooled", shape: vec![rows, channels] },
        ],
        programs: vec![ProgramUse {
            spec: ProgramSpec::ClipText { rows, options: TextOptions::default() },
            file: file.clone(),
            executions: 1,
        }],
    })
}
