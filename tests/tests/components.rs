//! Parts of the first pictures against the reference implementation: text encoder, timestep embedding, the model
//! with its scaling. Noise, schedules, samplers, the UNet and the autoencoder are compared in their own crates.

#![allow(clippy::unwrap_used, reason = "a failure is the test's verdict")]

use std::sync::Arc;

use floe_formats::{Contents, Header, Role, header_len};
use floe_nets::arch::{TextOptions, UnetOptions};
use floe_nets::ir::{Element, OpKind, Program};
use floe_nets::text::{END, Tokenizer};
use floe_nets::{Builder, PassSet, ProgramSpec, Weights, build_program};
use floe_nodes::sampling::{eps_to_denoised, scale_input};
use floe_nodes::schedule::ModelSampling;
use floe_tensor::{Executable, Input, Isa, MappedFile, Pool, Slab, WeightStore};
use floe_testing::{assert_close, json, model, tensors, tolerance};

struct Model {
    map: Arc<MappedFile>,
    contents: Contents,
}

impl Model {
    fn tensors(&self, role: Role) -> &Header {
        &self.contents.component(role).unwrap().tensors
    }
}

fn tiny() -> Model {
    let map = MappedFile::open(&model("sd15-tiny")).unwrap();
    let bytes = map.bytes();
    let len = usize::try_from(header_len(bytes).unwrap()).unwrap();
    let header = Header::parse(&bytes[..len], bytes.len() as u64).unwrap();
    let contents = Contents::of(&header).unwrap();
    Model { map, contents }
}

/// Runs a program once; outputs in their order.
fn run(model: &Model, role: Role, mut program: Program, inputs: &[Input<'_>]) -> Vec<Vec<f32>> {
    PassSet::DEFAULT.run(&mut program);
    let pool = Pool::new(2).unwrap();
    let store = WeightStore::prepare(model.map.clone(), model.tensors(role), &[&program], &pool).unwrap();
    let mut outputs: Vec<Vec<f32>> =
        program.outputs.iter().map(|port| vec![0.0; program.values[port.value].len()]).collect();
    let executable = Executable::new(Arc::new(program), Arc::new(store), Isa::detect()).unwrap();
    let slab_bytes = executable.program().placement.as_ref().unwrap().slab_bytes;
    let mut slab = Slab::new(slab_bytes).unwrap();
    let mut places: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    executable.run(&pool, slab.as_mut_slice(), inputs, &mut places).unwrap();
    outputs
}

/// `pooled_projected` is not compared: the reference multiplies with a projection that files of Stable Diffusion 1 do
/// not have, and recorded zeros; nothing reads it.
#[test]
fn the_text_encoder_is_the_references_layer_by_layer() {
    let case = "clip_sd15-tiny_clip_l";
    let (rel, abs) = (tolerance(case, "rel"), tolerance(case, "abs"));
    let expected = tensors(&format!("parity/dev/components/{case}/expected.safetensors"));
    let prompts = json(&format!("parity/dev/components/{case}/expected.json"));
    let model = tiny();
    let mut compared = 0;
    for (key, prompt) in prompts.as_object().unwrap() {
        let chunks = Tokenizer::clip().encode_prompt(prompt["text"].as_str().unwrap(), END).unwrap();
        let tokens: Vec<i32> = chunks.iter().flat_map(|chunk| chunk.ids.map(u32::cast_signed)).collect();
        let end: Vec<i32> = chunks
            .iter()
            .map(|chunk| i32::try_from(chunk.ids.iter().position(|&id| id == END).unwrap()).unwrap())
            .collect();
        let spec = ProgramSpec::ClipText { rows: chunks.len(), options: TextOptions::default() };
        let mut program = build_program(spec, &model.contents).unwrap();
        let layers = (0..).take_while(|layer| program.expose(&format!("encoder.layers.{layer}"))).count();
        assert!(layers > 0);
        let outputs = run(&model, Role::ClipL, program, &[Input::I32(&tokens), Input::I32(&end)]);
        let (hidden, pooled, layers) = (&outputs[0], &outputs[1], &outputs[2..]);
        let mut check = |name: &str, got: &[f32]| {
            if let Some((_, want)) = expected.get(&format!("{key}.{name}")) {
                assert_close(&format!("{key}.{name}"), got, want, rel, abs);
                compared += 1;
            }
        };
        check("last_ln", hidden);
        check("pooled", pooled);
        assert!(expected[&format!("{key}.pooled_projected")].1.iter().all(|&value| value.abs() < 1e-20));
        // The reference stacks layers inside of each item.
        let row = hidden.len() / chunks.len();
        let stacked: Vec<f32> = (0..chunks.len())
            .flat_map(|item| {
                layers.iter().flat_map(move |layer| layer[item * row..(item + 1) * row].to_vec())
            })
            .collect();
        check("layers", &stacked);
        // Without weights the encoding is the last layer after its norm, chunk by chunk.
        if chunks.iter().all(|chunk| chunk.weights.iter().all(|&weight| weight == 1.0)) {
            check("cond", hidden);
        }
        check("cond_pooled", &pooled[..pooled.len() / chunks.len()]);
    }
    assert!(compared >= 12, "only {compared} tensors were compared");
}

#[test]
fn timestep_embeddings_are_the_references() {
    let case = "timestep_embedding";
    let (rel, abs) = (tolerance(case, "rel"), tolerance(case, "abs"));
    let times = &tensors(&format!("parity/dev/components/{case}/inputs.safetensors"))["t"].1;
    let model = tiny();
    for (name, (shape, want)) in tensors(&format!("parity/dev/components/{case}/expected.safetensors")) {
        let mut b = Builder::new(name.clone(), Weights { header: model.tensors(Role::Unet), prefix: "" });
        let t = b.input("t", Element::F32, vec![times.len()]);
        let kind = OpKind::TimestepEmbedding { channels: shape[1], max_period: 10_000.0 };
        let embedding = b.apply(kind, &[t]).unwrap();
        b.output("embedding", embedding);
        let got = run(&model, Role::Unet, b.finish(), &[Input::F32(times)]);
        assert_close(&name, &got[0], &want, rel, abs);
    }
}

#[test]
fn the_model_takes_noise_away_as_the_reference_does() {
    let case = "apply_model_sd15-tiny";
    let given = tensors(&format!("parity/dev/components/{case}/inputs.safetensors"));
    let (shape, x) = &given["x"];
    let sigmas = &given["sigma"].1;
    let (context_shape, context) = &given["context"];
    let model = tiny();
    let sampling = ModelSampling::scaled_linear();
    let timesteps: Vec<f32> = sigmas.iter().map(|&sigma| sampling.timestep(sigma)).collect();
    let item = x.len() / shape[0];
    let mut scaled = vec![0.0; x.len()];
    for ((x, scaled), &sigma) in x.chunks(item).zip(scaled.chunks_mut(item)).zip(sigmas) {
        scale_input(x, sigma, scaled);
    }
    let spec = ProgramSpec::Unet {
        batch: shape[0],
        height: shape[2],
        width: shape[3],
        tokens: context_shape[1],
        options: UnetOptions::default(),
    };
    let program = build_program(spec, &model.contents).unwrap();
    let inputs = [Input::F32(&scaled), Input::F32(&timesteps), Input::F32(context)];
    let mut got = run(&model, Role::Unet, program, &inputs).swap_remove(0);
    for ((x, eps), &sigma) in x.chunks(item).zip(got.chunks_mut(item)).zip(sigmas) {
        eps_to_denoised(x, sigma, eps);
    }
    let want = &tensors(&format!("parity/dev/components/{case}/expected.safetensors"))["denoised"].1;
    assert_close(case, &got, want, tolerance(case, "rel"), tolerance(case, "abs"));
}
