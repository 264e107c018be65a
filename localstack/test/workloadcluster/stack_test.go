package workloadcluster_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/config"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
	_ "github.com/fleetwright/fleetwright/localstack/controlplane/etcdlog" // keeps the test's output readable
	"github.com/fleetwright/fleetwright/localstack/stack"
)

const (
	root         = "../../.."
	fieldOwner   = "story"
	subscription = "/subscriptions/00000000-0000-0000-0000-000000000001"
	// stories is how many are told at once, on machines of few cores too: they mostly wait.
	stories = "8"
	// patience is how long a cluster may take on a machine that is busy with other tests.
	patience = 2 * time.Minute

	apiGroup   = "2021-04-01"
	apiNetwork = "2024-05-01"
	apiAKS     = "2025-05-01"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	if err := controlplane.LogTo(io.Discard); err != nil {
		panic(err)
	}
	flag.Parse()
	if err := flag.Set("test.parallel", stories); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// world is a stack whose Azure is in a hurry, and whose clusters share one API server: what runs in them is no matter of most stories.
type world struct {
	*stack.Stack
	management client.Client
	raw        *rawARM
}

func start(t *testing.T) *world {
	t.Helper()
	program, err := filepath.Abs(root + "/bin/fleetwright")
	must(t, err)
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("there is no operator at bin/fleetwright: run `make build` once and then `go test`")
	}
	settings := sim.DefaultSettings()
	tenth := metav1.Duration{Duration: 100 * time.Millisecond}
	settings.Durations = sim.Durations{
		ClusterCreate: tenth, ClusterUpdate: tenth, ClusterUpgrade: tenth, ClusterDelete: tenth, PoolCreate: tenth, PoolUpdate: tenth,
		PoolDelete: tenth, NodeReplace: tenth, NodeBoot: tenth, NetworkWrite: tenth, GroupDelete: tenth,
	}
	s, err := stack.Start(t.Context(), stack.Options{
		Layout: stack.Layout{Dir: filepath.Join(t.TempDir(), "stack")}, Operator: program, Manifests: config.Manifests,
		Azure: &settings, SharedWorkload: true,
	})
	must(t, err)
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	w := &world{Stack: s}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{fleetwrightv1.AddToScheme, clusterv1.AddToScheme, clientgoscheme.AddToScheme} {
		must(t, add(scheme))
	}
	w.management, err = client.New(s.Management(), client.Options{Scheme: scheme})
	must(t, err)
	w.raw = newRawARM(t, s)
	w.applyFile(t, "platform")
	return w
}

// namespace makes a namespace for clusters.
func (w *world) namespace(t *testing.T, name, stage string) {
	t.Helper()
	w.applyFile(t, "namespace", "namespace", name, "stage", stage)
}

func (w *world) applyFile(t *testing.T, name string, values ...string) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name+".yaml"))
	must(t, err)
	w.apply(t, string(content), values...)
}

// apply applies YAML, in which $key stands for the value that follows it.
func (w *world) apply(t *testing.T, manifest string, values ...string) {
	t.Helper()
	must(t, w.tryApply(t, manifest, values...))
}

func (w *world) tryApply(t *testing.T, manifest string, values ...string) error {
	t.Helper()
	for i := 0; i < len(values); i += 2 {
		manifest = strings.ReplaceAll(manifest, "$"+values[i], values[i+1])
	}
	objects, err := stack.ReadManifests(fstest.MapFS{"m.yaml": {Data: []byte(manifest)}}, ".")
	must(t, err)
	return stack.Apply(t.Context(), w.Management(), fieldOwner, objects)
}

// cluster makes a WorkloadCluster of class small-v1. more are further lines of its spec.
func (w *world) cluster(t *testing.T, namespace, name, more string) {
	t.Helper()
	must(t, w.tryCluster(t, namespace, name, more))
}

func (w *world) tryCluster(t *testing.T, namespace, name, more string) error {
	t.Helper()
	return w.tryApply(t, `
apiVersion: fleetwright.io/v1alpha1
kind: WorkloadCluster
metadata: {name: $name, namespace: $namespace}
spec:
  classRef: {name: small-v1, namespace: platform}
  deletionPolicy: Delete
`+more, "namespace", namespace, "name", name)
}

func (w *world) get(ctx context.Context, namespace, name string) (*fleetwrightv1.WorkloadCluster, error) {
	out := &fleetwrightv1.WorkloadCluster{}
	return out, w.management.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, out)
}

// awaitReady waits for a cluster to be ready in its present spec, and returns it.
func (w *world) awaitReady(t *testing.T, namespace, name string) *fleetwrightv1.WorkloadCluster {
	t.Helper()
	var out *fleetwrightv1.WorkloadCluster
	eventually(t, patience, name+" is ready", func(ctx context.Context) (done bool, now string) {
		var err error
		if out, err = w.get(ctx, namespace, name); err != nil {
			return false, err.Error()
		}
		return is(out, "Ready", "True", "")
	})
	return out
}

// is compares a condition about the present spec; an empty reason is any.
func is(o *fleetwrightv1.WorkloadCluster, kind, status, reason string) (ok bool, now string) {
	c := meta.FindStatusCondition(o.Status.Conditions, kind)
	if c == nil {
		return false, "no condition " + kind
	}
	now = fmt.Sprintf("%s=%s, %s: %s", kind, c.Status, c.Reason, c.Message)
	return string(c.Status) == status && (reason == "" || c.Reason == reason) && c.ObservedGeneration == o.Generation, now
}

// awaitCondition waits for a condition, and returns its message.
func (w *world) awaitCondition(t *testing.T, namespace, name, kind, status, reason string) string {
	t.Helper()
	message := ""
	eventually(t, patience, fmt.Sprintf("%s has %s=%s, %s", name, kind, status, reason), func(ctx context.Context) (bool, string) {
		o, err := w.get(ctx, namespace, name)
		if err != nil {
			return false, err.Error()
		}
		ok, now := is(o, kind, status, reason)
		if ok {
			message = meta.FindStatusCondition(o.Status.Conditions, kind).Message
		}
		return ok, now
	})
	return message
}

// remove deletes a WorkloadCluster and waits until it is gone.
func (w *world) remove(t *testing.T, namespace, name string) {
	t.Helper()
	o, err := w.get(t.Context(), namespace, name)
	must(t, err)
	must(t, w.management.Delete(t.Context(), o))
	w.awaitGone(t, namespace, name)
}

func (w *world) awaitGone(t *testing.T, namespace, name string) {
	t.Helper()
	eventually(t, patience, name+" is gone", func(ctx context.Context) (bool, string) {
		o, err := w.get(ctx, namespace, name)
		if apierrors.IsNotFound(err) {
			return true, ""
		}
		_, now := is(o, "Deleting", "", "")
		return false, now
	})
}

// is404 is true when the API server does not have an object.
func (w *world) is404(t *testing.T, o client.Object, namespace, name string) bool {
	t.Helper()
	err := w.management.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, o)
	if client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
	return err != nil
}

// writes are the writes that went to paths with all of these parts, and succeeded, since a time: as METHOD and path.
func (w *world) writes(since time.Time, parts ...string) []string {
	var out []string
next:
	for _, r := range w.Azure().Requests() {
		if r.Method == http.MethodGet || r.Status >= http.StatusBadRequest || !r.Time.After(since) {
			continue
		}
		for _, part := range parts {
			if !strings.Contains(strings.ToLower(r.Path), strings.ToLower(part)) {
				continue next
			}
		}
		out = append(out, r.Method+" "+r.Path)
	}
	return out
}

// rawARM is somebody with curl.
type rawARM struct {
	client     *simclient.Client
	url        string
	httpClient *http.Client
}

func newRawARM(t *testing.T, s *stack.Stack) *rawARM {
	t.Helper()
	identity := simclient.Identity{TenantID: "33333333-3333-3333-3333-333333333333", ClientID: "99999999-9999-9999-9999-999999999999", ClientSecret: "any"}
	c, err := simclient.New(s.Azure().URL(), s.Azure().CAFile(), identity)
	must(t, err)
	transport, err := simclient.Transport(s.Azure().CAFile())
	must(t, err)
	return &rawARM{c, s.Azure().URL(), transport}
}

// do sends a request and returns the body of the answer, nil for one that is 404.
func (a *rawARM) do(t *testing.T, method, id, version string, body any) map[string]any {
	t.Helper()
	token, err := a.client.Credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{simclient.Audience + "/.default"}})
	must(t, err)
	content, err := json.Marshal(body)
	must(t, err)
	request, err := http.NewRequestWithContext(t.Context(), method, a.url+id+"?api-version="+version, bytes.NewReader(content))
	must(t, err)
	request.Header.Set("Authorization", "Bearer "+token.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := a.httpClient.Do(request)
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	must(t, err)
	if response.StatusCode == http.StatusNotFound {
		return nil
	}
	if response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: %s %s", method, id, response.Status, answer)
	}
	read := map[string]any{}
	if len(answer) > 0 {
		must(t, json.Unmarshal(answer, &read))
	}
	return read
}

// has is true when Azure has what an id names.
func (a *rawARM) has(t *testing.T, id, version string) bool {
	t.Helper()
	return a.do(t, http.MethodGet, id, version, nil) != nil
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// eventually polls until done says so; what it returns last is part of the failure.
func eventually(t *testing.T, limit time.Duration, what string, done func(context.Context) (bool, string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	state := ""
	for {
		ok, now := done(ctx)
		if ok {
			return
		}
		if ctx.Err() == nil {
			state = now
		}
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %s, last seen: %s", what, limit, state)
		case <-tick.C:
		}
	}
}
