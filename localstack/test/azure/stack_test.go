package azure_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/config"
	clusterandnodepools "github.com/fleetwright/fleetwright/examples/cluster-and-nodepools"
	clusterandnodepoolsaso "github.com/fleetwright/fleetwright/examples/cluster-and-nodepools-aso"
	"github.com/fleetwright/fleetwright/internal/azure/sim"
	"github.com/fleetwright/fleetwright/internal/azure/sim/simclient"
	"github.com/fleetwright/fleetwright/localstack/controlplane"
	_ "github.com/fleetwright/fleetwright/localstack/controlplane/etcdlog" // keeps the test's output readable
	"github.com/fleetwright/fleetwright/localstack/kubelet"
	"github.com/fleetwright/fleetwright/localstack/stack"
)

const (
	root        = "../../.."
	fieldOwner  = "story"
	namespace   = "default"
	clusterName = "quickstart"
	// asoClusterName is the cluster of CAPZ's second flavour.
	asoClusterName = "coast"
	// somebody is the application by which the stories do things behind Fleetwright's back, and clusterIdentity that of both clusters.
	somebody        = "99999999-9999-9999-9999-999999999999"
	clusterIdentity = "44444444-4444-4444-4444-444444444444"
)

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	if err := controlplane.LogTo(io.Discard); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// world is a stack with a cluster of one pool and CAPZ's first flavour, whose Azure is in a hurry and takes a second until a role has an
// effect.
type world struct {
	*stack.Stack
	management client.Client
	// events is the management cluster, for what is told there.
	events   kubernetes.Interface
	workload kubernetes.Interface
	raw      *rawARM
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
		RolePropagation: metav1.Duration{Duration: time.Second},
	}
	s, err := stack.Start(t.Context(), stack.Options{
		Layout: stack.Layout{Dir: filepath.Join(t.TempDir(), "stack")}, Operator: program, Manifests: config.Manifests,
		Azure: &settings, Kubelet: &kubelet.Settings{PullBackoff: kubelet.Range{Min: 200 * time.Millisecond, Max: time.Second}},
	})
	must(t, err)
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	w := &world{Stack: s}
	scheme := runtime.NewScheme()
	must(t, fleetwrightv1.AddToScheme(scheme))
	w.management, err = client.New(s.Management(), client.Options{Scheme: scheme})
	must(t, err)
	w.events, err = kubernetes.NewForConfig(s.Management())
	must(t, err)
	w.raw = newRawARM(t, s)
	w.createCluster(t)
	return w
}

// createCluster applies the quickstart example without its second pool.
func (w *world) createCluster(t *testing.T) {
	t.Helper()
	must(t, stack.Apply(t.Context(), w.Management(), fieldOwner, example(t, clusterandnodepools.Manifests, clusterName)))
	w.awaitPool(t, clusterName)
	kubeconfig, err := clientcmd.BuildConfigFromFlags("", w.Layout().ClusterKubeconfig(clusterName))
	must(t, err)
	w.workload, err = kubernetes.NewForConfig(kubeconfig)
	must(t, err)
}

// createASOCluster creates the same of the second flavour, as `kubectl create` does: who applies spec.resources keeps all that is in it, and an
// AzureClusterAutoscaler puts nothing there.
func (w *world) createASOCluster(t *testing.T) {
	t.Helper()
	for _, object := range example(t, clusterandnodepoolsaso.Manifests, asoClusterName) {
		must(t, w.management.Create(t.Context(), object))
	}
	w.awaitPool(t, asoClusterName)
}

// example reads the objects of an example without its second pool, for a cluster of another name.
func example(t *testing.T, manifests fs.FS, cluster string) []*unstructured.Unstructured {
	t.Helper()
	all, err := stack.ReadManifests(manifests, ".")
	must(t, err)
	var objects []*unstructured.Unstructured
	for _, object := range all {
		if object.GetName() == clusterName+"-general" {
			continue
		}
		content, err := object.MarshalJSON()
		must(t, err)
		must(t, object.UnmarshalJSON(bytes.ReplaceAll(content, []byte(clusterName), []byte(cluster))))
		objects = append(objects, object)
	}
	return objects
}

func (w *world) awaitPool(t *testing.T, cluster string) {
	t.Helper()
	eventually(t, time.Minute, "the pool is ready", func(ctx context.Context) (bool, string) {
		pool := &fleetwrightv1.Nodepool{}
		if err := w.management.Get(ctx, client.ObjectKey{Namespace: namespace, Name: cluster + "-system"}, pool); err != nil {
			return false, err.Error()
		}
		return conditionOf(pool.Status.Conditions, "Ready")
	})
}

// rawARM is somebody with curl.
type rawARM struct {
	client     *simclient.Client
	url        string
	httpClient *http.Client
}

func newRawARM(t *testing.T, s *stack.Stack) *rawARM {
	t.Helper()
	identity := simclient.Identity{TenantID: "33333333-3333-3333-3333-333333333333", ClientID: somebody, ClientSecret: "any"}
	c, err := simclient.New(s.Azure().URL(), s.Azure().CAFile(), identity)
	must(t, err)
	transport, err := simclient.Transport(s.Azure().CAFile())
	must(t, err)
	return &rawARM{c, s.Azure().URL(), transport}
}

// do sends a request and returns the body of the answer, which has to be a success.
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
	if response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s %s: %s %s", method, id, response.Status, answer)
	}
	read := map[string]any{}
	if len(answer) > 0 {
		must(t, json.Unmarshal(answer, &read))
	}
	return read
}

// requests are how many requests of a method went to paths that contain part, and succeeded, since a time.
func (w *world) requests(method, part string, since time.Time) int {
	n := 0
	for _, r := range w.Azure().Requests() {
		if r.Method == method && strings.Contains(r.Path, part) && r.Status < http.StatusBadRequest && r.Time.After(since) {
			n++
		}
	}
	return n
}

// awaitSweeps waits until Resource Graph must have shown what there is now: what it shows otherwise right after it was made may just be late.
func (w *world) awaitSweeps(t *testing.T, target string) {
	t.Helper()
	before := w.sweeps(t, target)
	eventually(t, 30*time.Second, "two sweeps", func(context.Context) (bool, string) {
		now := w.sweeps(t, target)
		return now >= before+2, fmt.Sprintf("%d sweeps, %d before", now, before)
	})
}

// sweeps is how often the operator has looked for drift of a target and got an answer.
func (w *world) sweeps(t *testing.T, target string) int {
	t.Helper()
	return w.metric(t, fmt.Sprintf(`fleetwright_drift_sweeps_total{result="ok",target=%q}`, target))
}

// metric is the value of a series of the operator's, 0 for one that is not there.
func (w *world) metric(t *testing.T, series string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.Record().OperatorMetrics+"/metrics", http.NoBody)
	must(t, err)
	response, err := http.DefaultClient.Do(request)
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	metrics, err := io.ReadAll(response.Body)
	must(t, err)
	_, rest, found := strings.Cut(string(metrics), "\n"+series+" ")
	if !found {
		return 0
	}
	value, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.Atoi(value)
	must(t, err)
	return n
}

// awaitTold waits until an event about an object has this reason and these words.
func (w *world) awaitTold(t *testing.T, name, reason, words string) {
	t.Helper()
	about := metav1.ListOptions{FieldSelector: "involvedObject.name=" + name + ",reason=" + reason}
	eventually(t, 10*time.Second, "an event "+reason+" about "+name+" says: "+words, func(ctx context.Context) (bool, string) {
		all, err := w.events.CoreV1().Events(namespace).List(ctx, about)
		if err != nil {
			return false, err.Error()
		}
		for _, e := range all.Items {
			if strings.Contains(e.Message, words) {
				return true, ""
			}
		}
		return false, fmt.Sprintf("%d events %s", len(all.Items), reason)
	})
}

func conditionOf(conditions []metav1.Condition, kind string) (bool, string) {
	for _, c := range conditions {
		if c.Type == kind {
			return c.Status == metav1.ConditionTrue, c.Reason + ": " + c.Message
		}
	}
	return false, "no condition " + kind
}

// words are what the pods of the story wait for.
func words(pods []corev1.Pod) string {
	var out []string
	for _, p := range pods {
		for _, s := range p.Status.ContainerStatuses {
			if s.State.Waiting != nil {
				out = append(out, fmt.Sprintf("%s: %s", s.State.Waiting.Reason, s.State.Waiting.Message))
			}
		}
	}
	return strings.Join(out, "; ")
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
	tick := time.NewTicker(50 * time.Millisecond)
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
