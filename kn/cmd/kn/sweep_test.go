package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/sweep"
)

// TestSweepAndMerge: shards that were swept one by one and merged are what one
// sweep gives, and a sweep that is done computes nothing again.
func TestSweepAndMerge(t *testing.T) {
	whole, parts, merged := t.TempDir(), t.TempDir(), t.TempDir()
	with := func(command, out string, more ...string) []string {
		return append([]string{command, "--model", "mini", "--relations", "P36,P19", "--limit", "2", "--tolerance", "0.05", "--out", out}, more...)
	}
	var planned, first, again sweep.Summary
	keys := []string{"facts", "prompts", "shard", "shards", "computed", "found", "not_converged", "seconds", "prompts_per_second", "projected_hours", "left_out", "left_out_counts", "options", "provenance"}
	object(t, succeeds(t, with("sweep", whole, "--dry-run", "--json")...), &planned, keys...)
	if files, err := os.ReadDir(whole); err != nil || len(files) != 0 {
		t.Errorf("a dry run leaves %v, %v", files, err)
	}
	object(t, succeeds(t, with("sweep", whole, "--json")...), &first, keys...)
	if planned.Facts != 4 || planned.Prompts != first.Prompts || planned.Computed != 0 {
		t.Errorf("a dry run says %d facts, %d prompts, %d computed", planned.Facts, planned.Prompts, planned.Computed)
	}
	if first.Facts != 4 || first.Computed != first.Prompts || first.Prompts < 40 {
		t.Errorf("%d facts, %d prompts, %d computed", first.Facts, first.Prompts, first.Computed)
	}
	object(t, succeeds(t, with("sweep", whole, "--json")...), &again, keys...)
	if again.Computed != 0 || again.Found != first.Prompts {
		t.Errorf("again: %d computed, %d found", again.Computed, again.Found)
	}
	succeeds(t, with("sweep", parts, "--shard", "1/2")...)
	if o := finished(t, command(t, with("merge", merged, parts)...)); o.code != 1 || !strings.Contains(o.stderr, "2/2") {
		t.Errorf("half of the shards: exit status %d, %s", o.code, o.stderr)
	}
	succeeds(t, with("sweep", parts, "--shard", "2/2")...)
	succeeds(t, with("merge", merged, parts)...)
	read := func(dir string) string {
		data, err := os.ReadFile(filepath.Join(dir, sweep.RecordsFile))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	if read(merged) != read(whole) {
		t.Error("merged shards differ from one sweep")
	}
}
