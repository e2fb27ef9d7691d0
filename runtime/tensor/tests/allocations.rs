//! A run allocates nothing, whatever the number of threads. Without the test harness, whose own thread allocates.
#![allow(clippy::unwrap_used, unsafe_code)]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use floe_formats::Contents;
use floe_nets::arch::{TextOptions, UnetOptions};
use floe_nets::{PassSet, ProgramSpec, build_program};
use floe_tensor::{Isa, Pool};
use floe_testing::model;
use support::{Given, inputs, open, ready};

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is the system allocator's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::SeqCst);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn main() {
    let (file, header) = open(&model("sd15-tiny"));
    let contents = Contents::of(&header).unwrap();
    for threads in [1, 2, 3] {
        let pool = Pool::new(threads).unwrap();
        for spec in [
            ProgramSpec::ClipText { rows: 1, options: TextOptions::default() },
            ProgramSpec::Unet { batch: 2, height: 8, width: 8, tokens: 77, options: UnetOptions::default() },
            ProgramSpec::VaeDecode { batch: 1, height: 8, width: 8 },
        ] {
            let mut program = build_program(spec, &contents).unwrap();
            let tensors = &contents.component(spec.role()).unwrap().tensors;
            PassSet::DEFAULT.run(&mut program);
            let given = inputs(&program, 3, 77);
            let mut ready = ready(program, &file, tensors, &pool, Isa::detect());
            let mut outputs = ready.run(&pool, &given);
            let inputs: Vec<_> = given.iter().map(Given::input).collect();
            let mut views: Vec<&mut [f32]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
            let before = ALLOCATIONS.load(Ordering::SeqCst);
            for _ in 0..20 {
                ready.executable.run(&pool, ready.slab.as_mut_slice(), &inputs, &mut views).unwrap();
            }
            assert_eq!(ALLOCATIONS.load(Ordering::SeqCst) - before, 0, "{spec} on {threads} threads");
        }
    }
}
