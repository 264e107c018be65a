package chart_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// nobody is the user of the image, distroless' nonroot.
const nobody = 65532

// The image has no loader and no C library, so the program must need neither.
func TestOperatorIsStatic(t *testing.T) {
	program, err := elf.Open(root + "/bin/fleetwright")
	if err != nil {
		t.Fatalf("%v: run `make build` once and then `go test`", err)
	}
	defer func() { _ = program.Close() }()
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the program has a segment %s: it was linked dynamically", p.Type)
		}
	}
	if libraries, err := program.ImportedLibraries(); err == nil && len(libraries) > 0 {
		t.Errorf("the program needs %v", libraries)
	}
}

// Any user can run it, without a home, without variables, from a folder it cannot write to.
func TestOperatorRunsUnprivileged(t *testing.T) {
	content, err := os.ReadFile(root + "/bin/fleetwright")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, "fleetwright")
	if err := os.WriteFile(program, content, 0o755); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), program, "--help")
	command.Env, command.Dir = []string{}, "/"
	if os.Geteuid() == 0 {
		command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	out, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--leader-elect") {
		t.Errorf("--help: %v\n%s", err, out)
	}
}

// No engine for images is needed to see that the Dockerfile is of one piece with the rest.
func TestDockerfile(t *testing.T) {
	file := read(t, root+"/Dockerfile")
	pod := as[deployment](t, render(t), "Deployment fleetwright").Spec.Template.Spec
	if user := pod.SecurityContext.RunAsUser; user == nil || *user != nobody || !strings.Contains(file, "\nUSER 65532:65532\n") {
		t.Errorf("the chart runs as %v and the image as another user", user)
	}
	if len(pod.Containers[0].Command) > 0 || !strings.Contains(file, "\nENTRYPOINT [\"/fleetwright\"]\n") {
		t.Error("the chart relies on the image's entry point, and there is none")
	}
	_, version, _ := strings.Cut(read(t, root+"/go.mod"), "\ngo ")
	major := regexp.MustCompile(`^\d+\.\d+`).FindString(version)
	if !strings.Contains(file, "ARG GO_VERSION="+major+"\n") {
		t.Errorf("go.mod asks for Go %s, the Dockerfile takes another one", major)
	}
	for _, flag := range []string{"CGO_ENABLED=0", "-trimpath", "-buildvcs=false", "-buildid="} {
		if !strings.Contains(file, flag) {
			t.Errorf("the Dockerfile builds without %s", flag)
		}
	}
}

// What the program is compiled from is copied into the build, and let through by .dockerignore.
func TestDockerfileCopiesWhatIsCompiled(t *testing.T) {
	const module = "github.com/fleetwright/fleetwright"
	command := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{.ImportPath}}", "./cmd/fleetwright")
	command.Dir = root
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	file, ignored := read(t, root+"/Dockerfile"), strings.Split(read(t, root+"/.dockerignore"), "\n")
	count := 0
	for path := range strings.Lines(string(out)) {
		inside, ours := strings.CutPrefix(strings.TrimSpace(path), module+"/")
		if !ours {
			continue
		}
		count++
		top, _, _ := strings.Cut(inside, "/")
		if !strings.Contains(file, "\nCOPY "+top+" "+top+"\n") || !slices.Contains(ignored, "!"+top) {
			t.Errorf("%s is compiled in, and folder %s is not copied into the image's build", inside, top)
		}
	}
	if count < 5 {
		t.Errorf("go list names only %d packages of ours", count)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
