package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestJournal: a benchmark that was stopped goes on with what is missing, and takes nothing of another workload.
func TestJournal(t *testing.T) {
	todo := turns([]string{"ours", "karpenter-like"}, func(string) int { return 2 })
	j := &journal{file: filepath.Join(t.TempDir(), "runs")}
	if done, err := j.done(todo, sizeP1, 1); err != nil || len(done) != 0 {
		t.Fatal(done, err)
	}
	other := sizeP1
	other.Nodes++
	for _, d := range []drained{
		{Drainer: "ours", Repeat: 1, Size: sizeP1, Seed: 1, Pods: 7},
		{Drainer: "ours", Repeat: 1, Size: sizeP1, Seed: 1, Pods: 8},
		{Drainer: "ours", Repeat: 2, Size: other, Seed: 1},
		{Drainer: "ours", Repeat: 2, Size: sizeP1, Seed: 2},
		{Drainer: "ours", Repeat: 3, Size: sizeP1, Seed: 1},
		{Drainer: "kubectl-x10", Repeat: 1, Size: sizeP1, Seed: 1},
	} {
		if err := j.add(d); err != nil {
			t.Fatal(err)
		}
	}
	done, err := j.done(todo, sizeP1, 1)
	if err != nil || len(done) != 1 || done[0].Pods != 7 {
		t.Errorf("%+v, %v", done, err)
	}
	if err := os.WriteFile(j.file, []byte("{\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := j.done(todo, sizeP1, 1); err == nil {
		t.Error("a broken file is taken for an empty one")
	}
}
