"""The same bits whatever the blocks, the workers, and who is killed; and folders of others."""

import json
import os
import random
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest

from nmrqb.errors import ArgumentError, InputError, OutputError
from nmrqb.experiment.sweeps import open_map, sweep

OVER = {"battery.D": "0Hz:20Hz:60", "battery.G": "-5Hz:5Hz:50"}


def test_the_size_of_blocks_changes_no_bit(make, same_bits):
    whole = make(OVER, out="whole")
    for block in (1, 700, 2000):
        parts = make(OVER, out=f"block{block}", block=block)
        assert parts.store.layout.block != whole.store.layout.block
        same_bits(whole.store.folder, parts.store.folder)


def test_the_size_of_blocks_changes_no_bit_of_maps(make, same_bits):
    more = {"overrides": {"noise.pulses": "finite"}, "seed": 1}
    over = {"battery.D": "0Hz:20Hz:200", "battery.G": "-5Hz:5Hz:20"}
    whole, parts = make(over, block=4000, **more), make(over, block=1, **more)
    assert whole.store.layout.block != parts.store.layout.block
    same_bits(whole.store.folder, parts.store.folder)


def test_finished_blocks_are_not_computed_again(make, same_bits):
    def stop(done, total):
        assert total == 3000
        if done >= 1000:
            raise EOFError("enough")

    with pytest.raises(EOFError, match="enough"):
        make(OVER, out="a", block=500, progress=stop)
    seen = []
    found = make(OVER, out="a", progress=lambda done, total: seen.append((done, total)))
    assert found.found >= 1000
    assert seen[-1] == (3000 - found.found, 3000 - found.found)
    assert f"{found!r}" == "<Map of charge_dm_ksea: 3000 points>"
    same_bits(found.store.folder, make(OVER, out="b").store.folder)
    again = make(OVER, out="a", progress=lambda *_: pytest.fail("nothing is left to do"))
    assert again.found == 3000


def test_points_that_are_missing_are_not_numbers(make, tmp_path):
    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(OVER, out="part", block=500, progress=stop)
    part = open_map(tmp_path / "part")
    assert part.attrs["finished_points"] < part.attrs["points"] == 3000
    missing = np.isnan(part.ergotropy_max.values)
    assert missing.sum() == 3000 - part.attrs["finished_points"]


def test_what_was_torn_or_changed_is_computed_again(make, same_bits, tmp_path):
    sound = make(OVER, out="sound", block=500)
    for number, spoil in enumerate((tear_line, drop_lines, spoil_chunk, truncate_chunk)):
        folder = make(OVER, out=f"spoilt{number}", block=500).store.folder
        spoil(folder)
        found = make(OVER, out=f"spoilt{number}")
        assert 0 < found.found < 3000, spoil
        same_bits(sound.store.folder, folder)
        assert make(OVER, out=f"spoilt{number}").found == 3000


def tear_line(folder):
    path = folder / "finished.txt"
    path.write_bytes(path.read_bytes()[:-20])


def drop_lines(folder):
    path = folder / "finished.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(["", "x y", *lines[2:], "9999 " + "0" * 64, "7"]) + "\n")


def spoil_chunk(folder):
    chunks = sorted(p for p in (folder / "map.zarr/ergotropy_max/c").rglob("*") if p.is_file())
    chunks[0].write_bytes(chunks[1].read_bytes())  # a sound chunk of other points


def truncate_chunk(folder):
    chunks = sorted(p for p in (folder / "map.zarr/ergotropy_max/c").rglob("*") if p.is_file())
    chunks[0].write_bytes(chunks[0].read_bytes()[:100])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"over": {**OVER, "battery.G": "-5Hz:6Hz:50"}}, "`axes.battery.G` is 50 values"),
        ({"overrides": {"battery.B": "3 Hz"}}, "`experiment.battery.B` is 2 Hz there, but 3 Hz"),
        ({"overrides": {"noise.b1_inhomogeneity": "1 %"}}, "inhomogeneity` is absent there, but"),
        ({"seed": 5}, "`seed` is 1 there, but 5 here"),
        ({"reduce": ["max"]}, "`reduce` is "),
    ],
)
def test_a_different_sweep_is_refused_by_name(make, changed, message):
    make(OVER, out="one")
    with pytest.raises(OutputError, match=f"holds a different sweep: .*{message}"):
        make(**({"over": OVER, "out": "one"} | changed))


def test_folders_of_others_are_left_alone(make, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "thesis.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"holds no `sweep\.json` of nmrqb"):
        make(OVER, out="own")
    found = make({"battery.D": "1Hz,2Hz"}, out="map")
    (found.store.folder / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"also holds `notes\.txt`"):
        make({"battery.D": "1Hz,2Hz"}, out="map")
    with pytest.raises(InputError, match="is no folder of `nmrqb sweep`"):
        open_map(tmp_path / "own")
    (found.store.folder / "notes.txt").unlink()
    (found.store.folder / "sweep.json").write_text('{"format": "nmrqb-sweep/1", ')
    with pytest.raises(OutputError, match=r"sweep\.json` cannot be read"):
        make({"battery.D": "1Hz,2Hz"}, out="map")


def spoil_a_coordinate(folder):
    path = folder / "map.zarr/D/c/0"
    data = bytearray(path.read_bytes())
    data[0] ^= 0xFF
    path.write_bytes(data)


def spoil_metadata(folder):
    (folder / "map.zarr/ergotropy_max/zarr.json").write_bytes(b"\xff\xfe")


def remove_the_group(folder):
    (folder / "map.zarr/zarr.json").unlink()


def remove_an_array(folder):
    shutil.rmtree(folder / "map.zarr/ergotropy_max")


def finished_is_a_folder(folder):
    (folder / "finished.txt").unlink()
    (folder / "finished.txt").mkdir()


def spoil_the_request(folder):
    document = json.loads((folder / "sweep.json").read_text())
    del document["axes"], document["request"]["seed"]
    (folder / "sweep.json").write_text(json.dumps(document))


@pytest.mark.parametrize(
    "spoil",
    [
        spoil_a_coordinate,
        spoil_metadata,
        remove_the_group,
        remove_an_array,
        finished_is_a_folder,
        spoil_the_request,
    ],
)
def test_a_damaged_map_is_told_in_one_message(make, spoil, tmp_path):
    over = {"battery.D": "1Hz,2Hz"}
    folder = make(over, out="map").store.folder
    spoil(folder)
    with pytest.raises(InputError, match=r"map:1:1: .*map` is damaged \(.*sweep again into"):
        open_map(folder)
    with pytest.raises((InputError, OutputError), match=r"map` is damaged \(.*sweep again into"):
        _ = make(over, out="map").data


def test_a_fault_leaves_no_folder(make, tmp_path):
    with pytest.raises(InputError, match="unknown key"):
        make({"battery.X": "1Hz,2Hz"}, out="map")
    with pytest.raises(ArgumentError, match="`block` must be 1 or more"):
        make(OVER, out="map", block=0)
    with pytest.raises(ArgumentError, match="`workers` must be 0 or more"):
        make(OVER, out="map", workers=-1)
    assert list(tmp_path.iterdir()) == []


def test_seeds(make):
    assert make(OVER, out="own").plan.job.seed == 1  # the experiment's
    unseeded = {"seed": "null"}
    first = make({"battery.D": "1Hz,2Hz"}, out="drawn", overrides=unseeded)
    again = make({"battery.D": "1Hz,2Hz"}, out="drawn", overrides=unseeded)
    assert first.plan.job.seed == again.plan.job.seed
    assert json.loads((first.store.folder / "sweep.json").read_text())["request"]["seed"] > 1


SCRIPT = """
import sys
from nmrqb.experiment.sweeps import sweep
sweep("charge_dm_ksea", {"battery.D": "0Hz:20Hz:200", "battery.G": "-5Hz:5Hz:100"}, out=sys.argv[1],
      block=500)
"""


@pytest.mark.slow
def test_killed_three_times_at_random_it_ends_with_the_same_bits(tmp_path, same_bits):
    rng, folder = random.Random(17), tmp_path / "killed"
    finished = folder / "finished.txt"
    for turn in range(3):
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder)])
        wanted = rng.randint(4 * turn + 1, 4 * turn + 4)
        while process.poll() is None and lines(finished) < wanted:
            time.sleep(0.005)
        time.sleep(rng.uniform(0, 0.03))
        process.kill()
        assert process.wait() == -9
    assert 2 < lines(finished) < 20
    before = lines(finished)
    over = {"battery.D": "0Hz:20Hz:200", "battery.G": "-5Hz:5Hz:100"}
    found = sweep("charge_dm_ksea", over, out=folder)
    assert found.found >= 1000 * (before - 1)
    numbers = [line.split()[0] for line in finished.read_text().splitlines() if " " in line]
    assert sorted(map(int, numbers)) == list(range(20))  # none is missing, none is there twice
    sweep("charge_dm_ksea", over, out=tmp_path / "undisturbed")
    same_bits(tmp_path / "undisturbed", folder)


def lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="needs the memory use of a process")
def test_memory_does_not_grow_with_the_map(tmp_path):
    script = (
        "import sys, resource\nfrom nmrqb.experiment.sweeps import sweep\n"
        "n = sys.argv[1]\n"
        "over = {'battery.D': f'0Hz:20Hz:{n}', 'battery.G': '-5Hz:5Hz:100'}\n"
        "more = {'overrides': {'charge.times.points': '200'}, 'block': 1000}\n"
        "sweep('charge_dm_ksea', over, out=sys.argv[2], reduce=['none'], **more)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    peaks = []
    for n in (10, 100):  # 6.4 and 64 MB of numbers
        command = [sys.executable, "-c", script, str(n), str(tmp_path / str(n))]
        done = subprocess.run(command, capture_output=True, check=True)
        peaks.append(int(done.stdout) / 1024)
    assert peaks[1] < peaks[0] + 25
    assert peaks[1] < 1000
