package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/fleetwright/fleetwright/hack/benchmarks/measurement"
)

const (
	titleBuild = "Build and the two commands, warm"
	titleCold  = "The two commands, cold"
)

// readmeCommands are what a newcomer runs.
func readmeCommands() [][]string {
	return [][]string{{"make", "demo", "ARGS=--exit"}, {"make", "test"}}
}

func measureBuild(ctx context.Context, b *bench, args []string) ([]measurement.Measurement, error) {
	flags := flag.NewFlagSet("bench build", flag.ContinueOnError)
	flags.SetOutput(b.progress)
	repeats := flags.Int("repeats", 3, "how often each warm command is run")
	cold := flags.Bool("cold", false, "measure with empty build caches instead: takes both cores for half an hour")
	download := flags.Bool("download", false, "with -cold: also load all modules into an empty module cache")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	if *cold {
		m, err := b.coldBuild(ctx, *download)
		return []measurement.Measurement{m}, err
	}
	m, err := b.warmBuild(ctx, *repeats)
	return []measurement.Measurement{m}, err
}

// warmBuild measures in this working tree, with the build cache as it is after one build.
func (b *bench) warmBuild(ctx context.Context, repeats int) (measurement.Measurement, error) {
	m := b.measured("build", titleBuild, "make bench-build", repeats)
	m.Note = "Everything is compiled and nothing has changed. Tests run anew each time (`-count=1`), where plain `make test` takes the results of " +
		"packages that did not change from Go's cache."
	if _, err := b.time(ctx, "once before measuring", task{args: []string{"make", "build", "envtest"}}); err != nil {
		return m, err
	}
	sizes, err := sizesAndCounts(ctx)
	if err != nil {
		return m, err
	}
	for _, c := range []struct {
		name string
		args []string
		note string
	}{
		{"make build", []string{"make", "build"}, "finding out that nothing is to be done"},
		{"make demo ARGS=--exit", []string{"make", "demo", "ARGS=--exit --name bench"}, "from the command to its end, all steps of the demo included"},
		{"make test", []string{"make", "test", "TEST_FLAGS=-timeout 15m -vet=off -count=1"}, "all tests of both modules run"},
	} {
		if strings.HasPrefix(c.name, "make test") { // the first run compiles tests that may never have been compiled
			if _, err := b.time(ctx, c.name+", once before measuring", task{args: c.args}); err != nil {
				return m, err
			}
		}
		var wall, processor []float64
		for i := range repeats {
			spent, err := b.time(ctx, fmt.Sprintf("%s, %d of %d", c.name, i+1, repeats), task{args: c.args})
			if err != nil {
				return m, err
			}
			wall, processor = append(wall, spent.wall.Seconds()), append(processor, spent.processor.Seconds())
		}
		m.Figures = append(m.Figures, median(c.name+", warm", wall, "s", c.note), median(c.name+", warm, processor time", processor, "s", ""))
	}
	m.Figures = append(m.Figures, sizes...)
	return m, nil
}

// coldBuild measures in fresh clones of the last commit, each command with an empty build cache of its own. Modules are in
// the module cache already, because how fast they come says nothing about this project.
func (b *bench) coldBuild(ctx context.Context, download bool) (measurement.Measurement, error) {
	m := b.measured("build-cold", titleCold, "make bench-cold", 1)
	m.Note = "Fresh clones of the last commit with an empty build cache; Go modules were downloaded before. Processor time is firmer than the time on " +
		"the clock where something else runs too."
	for i, args := range readmeCommands() {
		name := strings.Join(args, " ")
		clone, cache := filepath.Join(b.scratch, fmt.Sprintf("clone-%d", i)), filepath.Join(b.scratch, fmt.Sprintf("cache-%d", i))
		if _, err := (task{args: []string{"git", "clone", "--quiet", ".", clone}}).run(ctx); err != nil {
			return m, err
		}
		env := []string{"GOCACHE=" + cache, "CI=true"}
		spent, err := b.time(ctx, name+", cold", task{dir: clone, env: env, args: args})
		if err != nil {
			return m, err
		}
		size, err := sizeOf(cache)
		if err != nil {
			return m, err
		}
		m.Figures = append(m.Figures,
			figure(name+", cold", spent.wall.Seconds(), "s", ""),
			figure(name+", cold, processor time", spent.processor.Seconds(), "s", ""),
			figure(name+", build cache afterwards", float64(size)/mebibyte, "MiB", ""))
		if i > 0 {
			continue
		}
		if spent, err = b.time(ctx, "the other command in the same clone", task{dir: clone, env: env, args: readmeCommands()[1]}); err != nil {
			return m, err
		}
		m.Figures = append(m.Figures, figure("make test right after that", spent.wall.Seconds(), "s", "as a newcomer runs them: the tests' own code is compiled, and all run"))
	}
	if download {
		loaded, err := b.download(ctx)
		if err != nil {
			return m, err
		}
		m.Figures = append(m.Figures, loaded...)
	}
	return m, nil
}

// download loads what both programs are built from into an empty module cache.
func (b *bench) download(ctx context.Context) ([]measurement.Figure, error) {
	cache := filepath.Join(b.scratch, "modules")
	env := []string{"GOMODCACHE=" + cache, "CGO_ENABLED=0"}
	var seconds float64
	for _, args := range [][]string{{"go", "list", "-deps", "./cmd/fleetwright"}, {"go", "-C", "localstack", "list", "-deps", "./cmd/localstack"}} {
		spent, err := b.time(ctx, "download modules for "+args[len(args)-1], task{env: env, args: args})
		if err != nil {
			return nil, err
		}
		seconds += spent.wall.Seconds()
	}
	size, err := sizeOf(cache)
	if err != nil {
		return nil, err
	}
	// Its files are read-only: only go removes them.
	if _, err := (task{env: env, args: []string{"go", "clean", "-modcache"}}).run(ctx); err != nil {
		return nil, err
	}
	return []measurement.Figure{
		figure("Download of all modules into an empty module cache", seconds, "s", "depends on the line and on the module proxy"),
		figure("Size of that module cache", float64(size)/mebibyte, "MiB", ""),
	}, nil
}

func sizesAndCounts(ctx context.Context) ([]measurement.Figure, error) {
	var figures []measurement.Figure
	for _, program := range []struct{ module, name string }{{".", "fleetwright"}, {"localstack", "localstack"}} {
		info, err := os.Stat(filepath.Join("bin", program.name))
		if err != nil {
			return nil, fmt.Errorf("look at the size of %s: %w", program.name, err)
		}
		listed, err := task{env: []string{"CGO_ENABLED=0"}, args: []string{"go", "-C", program.module, "list", "-deps", "./cmd/" + program.name}}.run(ctx)
		if err != nil {
			return nil, err
		}
		figures = append(figures,
			figure("Size of bin/"+program.name, float64(info.Size())/mebibyte, "MiB", "without symbols (-s -w)"),
			figure("Packages in bin/"+program.name, float64(len(strings.Fields(listed.output))), "", "the standard library's too"))
	}
	return figures, nil
}

func (b *bench) time(ctx context.Context, what string, t task) (cost, error) {
	b.say("%s ...", what)
	spent, err := t.run(ctx)
	if err == nil {
		b.say("%s: %.1f s, %.1f s of processor time", what, spent.wall.Seconds(), spent.processor.Seconds())
	}
	return spent, err
}

// sizeOf adds up the files below a folder, in bytes.
func sizeOf(folder string) (int64, error) {
	var total int64
	err := filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			total += info.Size()
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("add up the size of %s: %w", folder, err)
	}
	return total, nil
}
