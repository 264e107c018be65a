package command

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/fleetwright/fleetwright/localstack/stack"
)

// run executes one command line as `localstack` would.
func run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	root := &cobra.Command{Use: "localstack", SilenceUsage: true, SilenceErrors: true}
	root.AddCommand(All()...)
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func TestCommandsWithoutAStack(t *testing.T) {
	root := t.TempDir()
	foreign := filepath.Join(root, "foreign")
	if err := os.Mkdir(foreign, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args      []string
		says, err string
	}{
		"status":                {args: []string{"status"}, says: `Stack "default" has never run. Start it: localstack up --name default`},
		"status of another":     {args: []string{"status", "--name", "two"}, says: `Stack "two" has never run`},
		"env":                   {args: []string{"env"}, err: `stack "default" does not run`},
		"down":                  {args: []string{"down"}, says: `Stack "default" does not run`},
		"reset":                 {args: []string{"reset"}, says: `Stack "default" is removed`},
		"reset of what is not":  {args: []string{"reset", "--name", "foreign"}, err: "is not the directory of a stack"},
		"a name like a path":    {args: []string{"up", "--name", "../up"}, err: "is not made of at most 32"},
		"up without operator":   {args: []string{"up", "--operator", filepath.Join(root, "none")}, err: "build it with `make build`"},
		"demo without operator": {args: []string{"demo", "--operator", filepath.Join(root, "none")}, err: "build it with `make build`"},
		"another flavour":       {args: []string{"demo", "--operator", "none", "--flavor", "other"}, err: `--flavor is "other": choose one of [aso managed]`},
		"up with another CAPZ":  {args: []string{"up", "--operator", "none", "--capz", "other"}, err: `--capz is "other"`},
	} {
		t.Run(name, func(t *testing.T) {
			said, err := run(t, append(test.args, "--root", root)...)
			if test.err == "" && err != nil || test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)) {
				t.Errorf("error %v, want %q", err, test.err)
			}
			if !strings.Contains(said, test.says) {
				t.Errorf("said %q, want %q in it", said, test.says)
			}
		})
	}
}

// The demo works on a stack of its own, so that it never removes the one people work with.
func TestDemoHasItsOwnStack(t *testing.T) {
	if got := demoCommand().Flags().Lookup("name").Value.String(); got != "demo" {
		t.Errorf("the demo works on stack %q", got)
	}
	if got := upCommand().Flags().Lookup("name").Value.String(); got != "default" {
		t.Errorf("up works on stack %q", got)
	}
}

func TestDemoRefusesARunningStack(t *testing.T) {
	root := t.TempDir()
	layout, err := stack.LayoutOf(root, demoStack)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	release := holdLock(t, layout)
	defer release()
	_, err = run(t, "demo", "--root", root, "--operator", self, "--exit")
	if err == nil || !strings.Contains(err.Error(), `stack "demo" runs already`) {
		t.Errorf("got %v", err)
	}
}

func TestSummaryNamesEveryCluster(t *testing.T) {
	layout := stack.Layout{Dir: t.TempDir()}
	if err := layout.Create(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		if err := os.WriteFile(layout.ClusterKubeconfig(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := summary(layout, stack.Record{Ready: time.Now(), AzureAdmin: "https://127.0.0.1:1/simulator", OperatorMetrics: "127.0.0.1:2"})
	for _, want := range []string{"Cluster a ", "Cluster b ", layout.Kubeconfig(), "https://127.0.0.1:1/simulator/resources", "http://127.0.0.1:2/metrics", layout.Logs()} {
		if !strings.Contains(text, want) {
			t.Errorf("the summary does not name %s:\n%s", want, text)
		}
	}
}

func TestQuote(t *testing.T) {
	if got := quote("/tmp/o'brien"); got != `'/tmp/o'\''brien'` {
		t.Errorf("got %s", got)
	}
}
