package cli_test

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cli"
)

func TestStatusTellsOfFleetClusterAndPool(t *testing.T) {
	f := newFleet(t)
	f.serving()
	np := f.nodepool()
	create(t, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Name: "e", Namespace: f.namespace},
		InvolvedObject: corev1.ObjectReference{Kind: "Nodepool", Namespace: f.namespace, Name: np.Name, UID: np.UID},
		Type:           corev1.EventTypeNormal, Reason: "CreatingGreen", Message: "creates pool general", LastTimestamp: metav1.Now(),
	})

	a := f.run("status")
	a.expect(t, 0, a.out, "NAME ", "prod-general", "True", "None", "2/2", "v1.34.2", "pool genera")
	if strings.Contains(a.out, "NAMESPACE") {
		t.Errorf("the namespace is told although it is known:\n%s", a.out)
	}
	a = f.run("status", "-A", "-o", "wide")
	a.expect(t, 0, a.out, "NAMESPACE", f.namespace, "MACHINE", "D4")
	a = f.run("status", "--cluster", "prod")
	a.expect(t, 0, a.out, "Cluster prod\n", "prod-general", "Waiting for the slot: nobody", "Held: nobody")
	a = f.run("status", "prod-general")
	a.expect(t, 0, a.out, "2 ready of 2", "UpToDate", "Pools", "Current", "Events", "creates pool general")
	a = f.run("status", "prod-general", "-o", "json")
	a.expect(t, 0, a.out, `"kind": "Nodepool"`, `"machineType": "D4"`)
	a = f.run("status", "-o", "yaml")
	a.expect(t, 0, a.out, "kind: NodepoolList", "kind: Nodepool\n", "machineType: D4")
	where := []string{"--kubeconfig", f.kubeconfig, "--namespace", f.namespace}
	a = f.run(append(append([]string{"__complete", "status"}, where...), "")...)
	a.expect(t, 0, a.out, "prod-general\n")
	a = f.run(append(append([]string{"__complete", "status"}, where...), "--cluster", "")...)
	a.expect(t, 0, a.out, "prod\n")
}

func TestStatusRefusesWhatIsNotThere(t *testing.T) {
	f := newFleet(t)
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"no Nodepools":     {nil, "there are no Nodepools in namespace " + f.namespace},
		"no such Nodepool": {[]string{"prod-general"}, "there is no Nodepool prod-general in namespace " + f.namespace + ": `kubectl fleetwright status -A` lists"},
		"no such cluster":  {[]string{"--cluster", "dev"}, "there is no Nodepool of cluster dev"},
		"both":             {[]string{"a", "--cluster", "dev"}, "name either a Nodepool or, with --cluster, a cluster"},
		"all namespaces":   {[]string{"a", "-A"}, "leave out --all-namespaces"},
		"format":           {[]string{"-o", "xml"}, `--output "xml" is none of wide, json, yaml`},
	} {
		t.Run(name, func(t *testing.T) {
			a := f.run(append([]string{"status"}, test.args...)...)
			a.expect(t, 1, a.err, "error: ", test.says)
		})
	}
}

func TestStatusWatchPrintsChangesUntilInterrupted(t *testing.T) {
	f := newFleet(t)
	f.serving()
	ctx, interrupt := context.WithCancel(t.Context())
	out, errOut, code := &screen{}, &screen{}, make(chan int)
	go func() {
		streams := genericiooptions.IOStreams{In: strings.NewReader(""), Out: out, ErrOut: errOut}
		code <- cli.Run(ctx, cli.New(streams), []string{"status", "--watch", "--kubeconfig", f.kubeconfig, "--namespace", f.namespace})
	}()
	await(t, out, "prod-general")

	np := f.nodepool()
	np.Annotations = map[string]string{"no": "change of the line"}
	if err := server.Update(t.Context(), np); err != nil {
		t.Fatal(err)
	}
	meta.SetStatusCondition(&np.Status.Conditions, metav1.Condition{
		Type: fleetwrightv1.ConditionReady, Status: metav1.ConditionFalse, Reason: "DrainingBlue", Message: "pods leave pool general",
	})
	if err := server.Status().Update(t.Context(), np); err != nil {
		t.Fatal(err)
	}
	await(t, out, "pods leave pool general")
	np.Finalizers = nil
	if err := server.Update(t.Context(), np); err != nil {
		t.Fatal(err)
	}
	if err := server.Delete(t.Context(), np); err != nil {
		t.Fatal(err)
	}
	await(t, out, "is gone")
	interrupt()
	if got := <-code; got != 0 || errOut.String() != "" {
		t.Errorf("exit code %d after an interrupt, and %q", got, errOut)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 || !strings.HasPrefix(lines[0], "NAME ") {
		t.Errorf("%d lines, want a header and 3 changes:\n%s", len(lines), out)
	}
}

func (f *fleet) nodepool() *fleetwrightv1.Nodepool {
	f.t.Helper()
	np := &fleetwrightv1.Nodepool{}
	if err := server.Get(f.t.Context(), f.key(), np); err != nil {
		f.t.Fatal(err)
	}
	return np
}

// await waits until the words are on the screen.
func await(t *testing.T, s *screen, words string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(s.String(), words) {
		select {
		case <-deadline:
			t.Fatalf("no %q on the screen after 20 s:\n%s", words, s)
		case <-tick.C:
		}
	}
}
