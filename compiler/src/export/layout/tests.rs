use proptest::prelude::*;

use super::*;

fn node(height: f64) -> Node {
    Node { width: 200.0, height, ..Node::default() }
}

fn link(from: usize, to: usize) -> Link {
    Link { from, to, ports: (0.0, 0.0) }
}

fn overlap(a: Bounds, b: Bounds) -> bool {
    a.0 < b.0 + b.2 && b.0 < a.0 + a.2 && a.1 < b.1 + b.3 && b.1 < a.1 + a.3
}

fn covered(nodes: &[Node], places: &[(f64, f64)], index: usize) -> Bounds {
    (places[index].0, places[index].1, nodes[index].width, nodes[index].height)
}

#[test]
fn columns_are_depths_and_sources_stand_by_what_needs_them() {
    let nodes = vec![node(100.0); 5];
    // A loader, an encoder, a picture for the sampler only, the sampler, the saver.
    let links = [link(0, 1), link(0, 3), link(1, 3), link(2, 3), link(3, 4)];
    let layout = layout(&nodes, &links, &[]);
    let columns: Vec<f64> = layout.places.iter().map(|place| place.0 / 280.0).collect();
    assert_eq!(columns, [0.0, 1.0, 1.0, 2.0, 3.0]);
}

#[test]
fn rows_follow_the_sockets_that_they_lead_to() {
    let nodes = vec![node(100.0); 4];
    // Three sources, the last of which is wanted at the top.
    let to = |from: usize, port: f64| Link { from, to: 3, ports: (0.0, port) };
    let layout = layout(&nodes, &[to(0, 40.0), to(1, 60.0), to(2, 0.0)], &[]);
    let ys: Vec<f64> = layout.places.iter().map(|place| place.1).collect();
    assert!(ys[2] < ys[0] && ys[0] < ys[1], "{ys:?}");
}

#[test]
fn decided_places_are_kept_and_others_stay_clear_of_them() {
    let mut nodes = vec![node(100.0); 3];
    nodes[1].fixed = Some((500.0, -300.0));
    let layout = layout(&nodes, &[link(0, 1), link(1, 2)], &[]);
    assert_eq!(layout.places[1], (500.0, -300.0));
    assert!(layout.places[0].1 > -200.0 && layout.places[2].1 > -200.0);
}

#[test]
fn a_long_chain_and_a_wide_fan_take_no_time() {
    let count = 100_000;
    let nodes = vec![node(50.0); count];
    let chain: Vec<Link> = (1..count).flat_map(|to| [link(to - 1, to), link(0, to)]).collect();
    assert_eq!(layout(&nodes, &chain, &[]).places.len(), count);
    let fan: Vec<Link> = (1..count).map(|to| link(0, to)).collect();
    assert_eq!(layout(&nodes, &fan, &[]).places.len(), count);
}

#[test]
fn frames_have_room_for_their_titles() {
    let nodes: Vec<Node> = (0..2).map(|frame| Node { frame: Some(frame), ..node(100.0) }).collect();
    let layout = layout(&nodes, &[link(0, 1)], &[900.0, 0.0]);
    let [Some(wide), Some(narrow)] = layout.frames[..] else { panic!("two frames") };
    assert_eq!((wide.2, narrow.2), (900.0, nodes[1].width + 2.0 * FRAME));
    assert!(!overlap(wide, narrow));
}

fn graphs() -> impl Strategy<Value = (Vec<Node>, Vec<Link>)> {
    let nodes = prop::collection::vec(
        (50.0..400.0, 30.0..500.0, prop::option::weighted(0.5, 0usize..4))
            .prop_map(|(width, height, frame)| Node { width, height, fixed: None, frame }),
        1..30,
    );
    nodes.prop_flat_map(|nodes| {
        let count = nodes.len();
        let links = prop::collection::vec((0..count, 0..count, 0.0..30.0, 0.0..30.0), 0..60);
        let links = links.prop_map(|links| {
            let forward = links.into_iter().filter(|(from, to, ..)| from < to);
            forward.map(|(from, to, a, b)| Link { from, to, ports: (a, b) }).collect()
        });
        (Just(nodes), links)
    })
}

proptest! {
    #[test]
    fn nothing_lies_over_anything((nodes, links) in graphs()) {
        let layout = layout(&nodes, &links, &[0.0, 700.0, 300.0, 0.0]);
        for a in 0..nodes.len() {
            for b in 0..a {
                prop_assert!(!overlap(covered(&nodes, &layout.places, a), covered(&nodes, &layout.places, b)));
            }
            for (index, frame) in layout.frames.iter().enumerate() {
                let Some(frame) = *frame else { continue };
                let inside = nodes[a].frame == Some(index);
                prop_assert_eq!(overlap(frame, covered(&nodes, &layout.places, a)), inside, "node {} frame {}", a, index);
            }
        }
        for (index, a) in layout.frames.iter().enumerate() {
            for b in &layout.frames[..index] {
                prop_assert!(!matches!((a, b), (Some(a), Some(b)) if overlap(*a, *b)));
            }
        }
    }
}
