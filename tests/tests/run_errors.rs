//! What can go wrong after a plan is made: each error has its code and its page, and nothing is left half-written.

#![allow(clippy::unwrap_used, reason = "a failure is the test's verdict")]

use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use floe_driver::{
    DEFAULT_LIMIT, DriverError, Folders, Isa, Machine, Plan, Pool, RunFailure, RunOptions, Source, read_plan,
    read_source,
};
use floe_testing::model;
use tempfile::TempDir;

/// A user's folder with the tiny model, a picture, and a plan for them.
struct Desk {
    root: TempDir,
    folders: Folders,
    plan: Plan,
}

const PROGRAM: &str = r#"edition 1
let (model, clip, vae) = CheckpointLoaderSimple(ckpt_name: "tiny.safetensors")
let latent = VAEEncode(LoadImage(image: "photo.png").IMAGE, vae:)
let prompt = CLIPTextEncode(clip, text: "a fox")
let samples = KSampler(model, steps: 2, sampler_name: "euler", scheduler: "normal",
    positive: prompt, negative: prompt, latent_image: latent)
SaveImage(VAEDecode(samples, vae:))
"#;

fn desk() -> Desk {
    let root = tempfile::tempdir().unwrap();
    let checkpoints = root.path().join("models/checkpoints");
    fs::create_dir_all(&checkpoints).unwrap();
    fs::create_dir_all(root.path().join("input")).unwrap();
    fs::copy(model("sd15-tiny"), checkpoints.join("tiny.safetensors")).unwrap();
    image::RgbImage::from_pixel(32, 24, image::Rgb([200, 90, 40]))
        .save(root.path().join("input/photo.png"))
        .unwrap();
    let at = |name: &str| root.path().join(name);
    let folders = Folders::new(vec![at("models")], vec![at("input")], at("output"));
    let options = floe_tests::options();
    let source = Source::flow("desk.flow", PROGRAM);
    let plan = floe_driver::compile(&source, &folders, &options).unwrap().compiled.plan;
    Desk { root, folders, plan }
}

impl Desk {
    fn run(&self) -> Result<(), RunFailure> {
        self.run_until(usize::MAX)
    }

    /// Runs, and asks to stop after some sampling steps.
    fn run_until(&self, steps: usize) -> Result<(), RunFailure> {
        let machine = Machine { pool: Pool::new(2).unwrap(), isa: Isa::detect() };
        let stop = |done, _| if done >= steps { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        let options = RunOptions { source: None, file: None, progress: &stop };
        floe_driver::run(&self.plan, &machine, &self.folders, &options, &mut |_| {}).map(|_| ())
    }

    fn checkpoint(&self) -> std::path::PathBuf {
        self.root.path().join("models/checkpoints/tiny.safetensors")
    }

    /// The files in the output folder.
    fn outputs(&self) -> usize {
        fs::read_dir(&self.folders.output).map_or(0, Iterator::count)
    }

    /// Runs, expects this code, and that no file appears.
    #[track_caller]
    fn fails(&self, code: &str) -> String {
        let before = self.outputs();
        let failure = self.run().expect_err("the run must fail");
        assert_eq!(failure.0.code(), code, "{failure}");
        assert_eq!(self.outputs(), before, "nothing is left behind");
        failure.to_string()
    }
}

#[test]
fn a_plan_that_fits_runs() {
    let desk = desk();
    desk.run().unwrap();
    desk.run().unwrap();
    assert_eq!(desk.outputs(), 2, "a second run does not overwrite the first");
}

#[test]
fn a_damaged_plan_is_refused() {
    let mut desk = desk();
    desk.plan.buffers[0].offset += 64;
    desk.fails("run::broken_plan");
}

#[test]
fn a_plan_of_another_version_is_refused() {
    let mut desk = desk();
    desk.plan.steps.last_mut().unwrap().kernel = "SaveHologram".to_owned();
    let message = desk.fails("run::version");
    assert!(message.contains("SaveHologram"), "{message}");
}

#[test]
fn a_program_that_came_out_different_is_refused() {
    let mut desk = desk();
    desk.plan.programs[0].hash = "0".repeat(64);
    desk.fails("run::stale_program");
}

#[test]
fn a_missing_model_is_named() {
    let desk = desk();
    fs::remove_file(desk.checkpoint()).unwrap();
    let message = desk.fails("run::open");
    assert!(message.contains("tiny.safetensors") && message.contains("checkpoints"), "{message}");
}

#[test]
fn another_model_of_the_same_name_is_refused() {
    let desk = desk();
    fs::copy(model("sd15-inpaint-tiny"), desk.checkpoint()).unwrap();
    desk.fails("run::changed_file");
}

#[test]
fn a_model_that_lost_its_end_is_refused() {
    let desk = desk();
    let bytes = fs::read(desk.checkpoint()).unwrap();
    fs::write(desk.checkpoint(), &bytes[..bytes.len() / 2]).unwrap();
    let message = desk.fails("run::bad_file");
    assert!(message.contains("truncated"), "{message}");
}

#[test]
fn a_picture_that_is_gone_or_changed_is_an_error_of_its_step() {
    let desk = desk();
    let photo = desk.root.path().join("input/photo.png");
    image::RgbImage::new(64, 24).save(&photo).unwrap();
    let message = desk.fails("run::step");
    assert!(message.contains("64x24") && message.contains("32x24"), "{message}");
    fs::write(&photo, b"not a picture").unwrap();
    desk.fails("run::step");
    fs::remove_file(&photo).unwrap();
    desk.fails("run::step");
}

#[test]
fn an_output_folder_that_is_a_file_is_an_error() {
    let desk = desk();
    fs::write(&desk.folders.output, b"in the way").unwrap();
    let failure = desk.run().unwrap_err();
    assert_eq!(failure.0.code(), "run::step");
    assert_eq!(fs::read(&desk.folders.output).unwrap(), b"in the way");
}

#[test]
fn a_run_stops_within_one_sampling_step() {
    let desk = desk();
    let failure = desk.run_until(1).unwrap_err();
    assert_eq!(failure.0.code(), "run::cancelled");
    assert_eq!(desk.outputs(), 0);
}

/// The first weight of the model becomes infinite: every prediction is.
#[test]
fn values_that_are_no_numbers_are_named_with_their_step() {
    let mut desk = desk();
    let mut bytes = fs::read(desk.checkpoint()).unwrap();
    let len = usize::try_from(floe_formats::header_len(&bytes).unwrap()).unwrap();
    let header = floe_formats::Header::parse(&bytes[..len], bytes.len() as u64).unwrap();
    let bias = &header.tensors["model.diffusion_model.out.2.bias"];
    let start = usize::try_from(bias.start).unwrap();
    bytes[start..start + 2].copy_from_slice(&0x7c00_u16.to_le_bytes());
    fs::write(desk.checkpoint(), bytes).unwrap();
    let message = desk.fails("run::step");
    assert!(message.contains("sampling step 1"), "{message}");
    // The next run in the same process is not affected.
    fs::copy(model("sd15-tiny"), desk.checkpoint()).unwrap();
    desk.plan.params.clear();
    desk.run().unwrap();
}

#[test]
fn memory_that_is_not_to_be_had_is_an_error_before_the_first_step() {
    let mut desk = desk();
    let more = (1_u64 << 50).next_multiple_of(64);
    desk.plan.memory.slab += more;
    desk.plan.memory.peak += more;
    desk.fails("run::machine");
}

#[test]
fn sources_that_are_none_say_so() {
    let root = tempfile::tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    fs::write(at("bytes.flow"), [0xff, 0xfe, 0x00]).unwrap();
    fs::write(at("half.plan.ron"), "(format: 1, program: \"").unwrap();
    fs::write(at("old.plan.ron"), desk().plan.to_ron().replacen("format: 2", "format: 0", 1)).unwrap();
    let large = fs::File::create(at("large.flow")).unwrap();
    large.set_len(65 * 1024 * 1024).unwrap();
    assert!(matches!(read_source(&at("none.flow"), DEFAULT_LIMIT), Err(DriverError::Unreadable { .. })));
    assert!(matches!(read_source(root.path(), DEFAULT_LIMIT), Err(DriverError::Unreadable { .. })));
    assert!(matches!(read_source(&at("bytes.flow"), DEFAULT_LIMIT), Err(DriverError::NotText { .. })));
    assert!(matches!(read_source(&at("large.flow"), DEFAULT_LIMIT), Err(DriverError::TooLarge { .. })));
    assert!(matches!(read_plan(&at("half.plan.ron")), Err(DriverError::BadPlan { .. })));
    match read_plan(&at("old.plan.ron")) {
        Err(DriverError::BadPlan { reason, .. }) => assert!(reason.contains("format 0"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_plan_runs_from_its_file() {
    let mut desk = desk();
    let path = desk.root.path().join("desk.plan.ron");
    fs::write(&path, desk.plan.to_ron()).unwrap();
    desk.plan = read_plan(Path::new(&path)).unwrap();
    desk.run().unwrap();
}

#[test]
fn every_code_has_a_page() {
    for code in floe_runtime::CODES.iter().chain(&floe_driver::CODES) {
        let page = floe_driver::page(code).unwrap_or_else(|| panic!("{code} has no page"));
        assert!(page.starts_with(&format!("# {code}\n")), "{code}");
    }
}
