package workloadcluster_test

import (
	"bytes"
	"context"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	clusterandnodepools "github.com/fleetwright/fleetwright/examples/cluster-and-nodepools"
	clusterandnodepoolsaso "github.com/fleetwright/fleetwright/examples/cluster-and-nodepools-aso"
	"github.com/fleetwright/fleetwright/internal/cli"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

// adopted: clusters that Cluster API's users have, one of each flavour, become WorkloadClusters by a command and a flip of its policy. Azure hears
// nothing of it; of pools that were nobody's, only the tag and the label by which their Nodepool knows them.
func adopted(t *testing.T, w *world) {
	w.example(t, clusterandnodepools.Manifests, "plain")
	w.example(t, clusterandnodepoolsaso.Manifests, "shore")
	for name, nodes := range map[string]int32{"plain-system": 2, "plain-general": 3, "shore-system": 2, "shore-general": 3} {
		w.awaitPool(t, "default", name, nodes)
	}
	w.letGo(t, "shore-system")
	w.letGo(t, "shore-general")

	began := time.Now()
	manifests, said := w.plugin(t, "adopt", "plain", "shore")
	if !strings.Contains(said, "2 clusters: 2 adopted without a change") {
		t.Errorf("the command says %s", said)
	}
	w.apply(t, manifests)
	for name, says := range map[string]string{"plain": "nothing would change", "shore": "would take over shore-general-"} {
		if words := w.awaitCondition(t, "default", name, "Adopted", "False", "Differs"); !strings.Contains(words, says) {
			t.Errorf("of %s it says %q", name, words)
		}
	}
	w.apply(t, strings.ReplaceAll(manifests, "policy: Report", "policy: Adopt"))
	for _, name := range []string{"plain", "shore"} {
		w.awaitCondition(t, "default", name, "Adopted", "True", "Adopted")
		w.awaitReady(t, "default", name)
	}
	if asked := w.ofAKS(began, "plain"); len(asked) > 0 {
		t.Errorf("Azure was asked for %q", asked)
	}
	for _, asked := range w.ofAKS(began, "shore") {
		if asked != "PUT system" && asked != "PUT genera" {
			t.Errorf("Azure was asked for %q", asked)
		}
	}
	for name, want := range map[string]int32{"plain": 5, "shore": 5} {
		o, err := w.get(t.Context(), "default", name)
		must(t, err)
		nodes := int32(0)
		for _, pool := range o.Status.Nodepools {
			nodes += *pool.ReadyReplicas
		}
		if len(o.Status.Nodepools) != 2 || nodes != want {
			t.Errorf("%s has %d pools with %d nodes that are ready", name, len(o.Status.Nodepools), nodes)
		}
	}
}

// example makes a cluster of one of the examples, under another name.
func (w *world) example(t *testing.T, manifests fs.FS, cluster string) {
	t.Helper()
	objects, err := stack.ReadManifests(manifests, ".")
	must(t, err)
	for _, o := range objects {
		content, err := o.MarshalJSON()
		must(t, err)
		must(t, o.UnmarshalJSON(bytes.ReplaceAll(content, []byte("quickstart"), []byte(cluster))))
	}
	must(t, stack.Apply(t.Context(), w.Management(), fieldOwner, objects))
}

// letGo deletes a Nodepool whose nodes stay.
func (w *world) letGo(t *testing.T, name string) {
	t.Helper()
	pool := &fleetwrightv1.Nodepool{}
	key := client.ObjectKey{Namespace: "default", Name: name}
	must(t, w.management.Get(t.Context(), key, pool))
	before := pool.DeepCopy()
	pool.Spec.DeletionPolicy = fleetwrightv1.DeletionPolicyRetain
	must(t, w.management.Patch(t.Context(), pool, client.MergeFrom(before)))
	must(t, w.management.Delete(t.Context(), pool))
	eventually(t, patience, name+" is gone", func(ctx context.Context) (bool, string) {
		return apierrors.IsNotFound(w.management.Get(ctx, key, pool)), "it is there"
	})
}

// plugin runs the kubectl plugin as a person does, and returns what it prints and what it says.
func (w *world) plugin(t *testing.T, args ...string) (printed, said string) {
	t.Helper()
	var out, err bytes.Buffer
	streams := genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &err}
	if code := cli.Run(t.Context(), cli.New(streams), append([]string{"--kubeconfig", w.Layout().Kubeconfig()}, args...)); code != 0 {
		t.Fatalf("%q ends with %d: %s", args, code, err.String())
	}
	return out.String(), err.String()
}

// retained: a WorkloadCluster that is protected stays when it is deleted. With Retain it goes, and what was made of it works on without it; people change
// that, and another WorkloadCluster takes it over, of which Azure hears nothing.
func retained(t *testing.T, w *world) {
	w.namespace(t, "retained", "production")
	w.cluster(t, "retained", "kept", "")
	w.awaitReady(t, "retained", "kept")
	began := time.Now()
	w.cluster(t, "retained", "kept", "  deletionPolicy: Protect\n")
	o, err := w.get(t.Context(), "retained", "kept")
	must(t, err)
	must(t, w.management.Delete(t.Context(), o))
	w.awaitCondition(t, "retained", "kept", "Deleting", "True", "DeletionProtected")
	w.cluster(t, "retained", "kept", "  deletionPolicy: Retain\n")
	w.awaitGone(t, "retained", "kept")
	for _, o := range []client.Object{
		&clusterv1.Cluster{}, &fleetwrightv1.Nodepool{}, &fleetwrightv1.AddressClaim{}, &fleetwrightv1.AzureClusterAdditionalConfig{},
	} {
		name := "kept"
		if _, pool := o.(*fleetwrightv1.Nodepool); pool {
			name = "kept-system"
		}
		if w.is404(t, o, "retained", name) {
			t.Fatalf("%T %s is gone", o, name)
		}
		for label := range o.GetLabels() {
			if strings.HasPrefix(label, "fleetwright.io/workloadcluster") {
				t.Errorf("%T %s still carries label %s", o, name, label)
			}
		}
	}
	w.apply(t, `
apiVersion: fleetwright.io/v1alpha1
kind: Nodepool
metadata: {name: kept-system, namespace: retained}
spec: {replicas: 2}
`)
	w.awaitPool(t, "retained", "kept-system", 2)

	spec := "  nodepools: [{name: system, spec: {replicas: 2}}]\n  adoption: {policy: $policy}\n"
	w.cluster(t, "retained", "kept", strings.ReplaceAll(spec, "$policy", "Report"))
	if words := w.awaitCondition(t, "retained", "kept", "Adopted", "False", "Differs"); words != "nothing would change" {
		t.Errorf("it says %q", words)
	}
	w.cluster(t, "retained", "kept", strings.ReplaceAll(spec, "$policy", "Adopt"))
	w.awaitCondition(t, "retained", "kept", "Adopted", "True", "Adopted")
	w.awaitReady(t, "retained", "kept")
	if diff := cmp.Diff([]string{"PUT system"}, w.ofAKS(began, "kept")); diff != "" {
		t.Errorf("what Azure was asked for, besides the node that somebody added: %s", diff)
	}
}

// awaitPool waits for a Nodepool to be ready in its present spec, with so many nodes.
func (w *world) awaitPool(t *testing.T, namespace, name string, nodes int32) {
	t.Helper()
	eventually(t, patience, name+" is ready", func(ctx context.Context) (bool, string) {
		pool := &fleetwrightv1.Nodepool{}
		if err := w.management.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, pool); err != nil {
			return false, err.Error()
		}
		c := apimeta.FindStatusCondition(pool.Status.Conditions, "Ready")
		if c == nil {
			return false, "no condition Ready"
		}
		ready := pool.Status.ReadyReplicas != nil && *pool.Status.ReadyReplicas == nodes
		return ready && c.Status == "True" && c.ObservedGeneration == pool.Generation, c.Reason + ": " + c.Message
	})
}
