package addons

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/testkit"
)

var (
	api    client.Client
	config *rest.Config
)

func TestMain(m *testing.M) {
	os.Exit(testkit.Main(m, func(c *rest.Config) (err error) {
		config = c
		api, err = testkit.Connect(c)
		return err
	}, "testdata/crds"))
}

// cluster answers for the workload cluster, and keeps what it was asked for.
type cluster struct {
	has   map[string]*unstructured.Unstructured
	fails error
	asked []string
}

func (c *cluster) Object(_ context.Context, of types.NamespacedName, kind schema.GroupVersionKind, key types.NamespacedName) (*unstructured.Unstructured, error) {
	c.asked = append(c.asked, of.String()+" "+kind.GroupVersion().String()+" "+kind.Kind+" "+key.String())
	return c.has[key.Name], c.fails
}

// apply makes objects of fixtures, once.
func apply(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		u := fixture(t, name)
		u.SetOwnerReferences(nil)
		u.SetFinalizers(nil)
		ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: u.GetNamespace()}}
		for _, o := range []client.Object{ns, u} {
			if err := api.Create(t.Context(), o); err != nil && !apierrors.IsAlreadyExists(err) {
				t.Fatal(err)
			}
		}
	}
}

func TestRead(t *testing.T) {
	apply(t, "clusterresourceset", "binding-applied", "helmchartproxy", "helmreleaseproxy", "kustomization")
	other := fixture(t, "helmreleaseproxy")
	other.SetName("cilium-of-another")
	other.SetFinalizers(nil)
	other.SetLabels(map[string]string{labelClusterName: "prod-eu-2", labelHelmChartProxy: "cilium"})
	if err := api.Create(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	agent := fleetwrightv1.WorkloadClusterAddon{Name: "agent", Kind: "ClusterResourceSet", Health: []fleetwrightv1.AddonHealthObject{
		{APIVersion: "apps/v1", Kind: "DaemonSet", Namespace: "kube-system", Name: "agent"},
		{APIVersion: "v1", Kind: "Namespace", Name: "monitoring"},
	}}
	asked := []string{"prod-eu/prod-eu-1 apps/v1 DaemonSet kube-system/agent", "prod-eu/prod-eu-1 v1 Namespace /monitoring"}
	cases := map[string]struct {
		addon              fleetwrightv1.WorkloadClusterAddon
		of                 types.NamespacedName
		unserved           bool
		source, perCluster string
		health             int
		fails              error
		unread             string
		asked              []string
	}{
		"set": {addon: agent, source: "agent", perCluster: "prod-eu-1", health: 2, asked: asked},
		"cluster does not answer": {
			addon: agent, source: "agent", perCluster: "prod-eu-1", fails: errors.New("no answer"), unread: "DaemonSet kube-system/agent: no answer", asked: asked[:1],
		},
		// Of a cluster without a binding, the workload cluster is not asked: it may not be there yet.
		"set without a binding":    {addon: agent, of: types.NamespacedName{Namespace: "prod-eu", Name: "prod-eu-2"}, source: "agent"},
		"set in another namespace": {addon: agent, of: types.NamespacedName{Namespace: "prod-us", Name: "prod-eu-1"}},
		"proxy":                    {addon: fleetwrightv1.WorkloadClusterAddon{Name: "cilium", Kind: "HelmChartProxy"}, source: "cilium", perCluster: "cilium-cilium-x7k2p"},
		"proxy without a release": {
			addon: fleetwrightv1.WorkloadClusterAddon{Name: "cilium", Kind: "HelmChartProxy"}, of: types.NamespacedName{Namespace: "prod-eu", Name: "prod-eu-3"}, source: "cilium",
		},
		"one per cluster":    {addon: fleetwrightv1.WorkloadClusterAddon{Name: "policies", Kind: "Kustomization", Namespace: "flux-system"}, perCluster: "prod-eu-1-policies"},
		"kind not installed": {addon: fleetwrightv1.WorkloadClusterAddon{Name: "logging", Kind: "Application"}, unserved: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.of.Name == "" {
				tc.of = prod
			}
			wl := &cluster{fails: tc.fails, has: map[string]*unstructured.Unstructured{"agent": fixture(t, "daemonset"), "monitoring": {}}}
			got, err := Read(t.Context(), api, api.RESTMapper(), wl, tc.of, tc.addon)
			if err != nil {
				t.Fatal(err)
			}
			if got.Served == tc.unserved || nameOf(got.Source) != tc.source || nameOf(got.PerCluster) != tc.perCluster || len(got.Health) != tc.health || got.Unread != tc.unread {
				t.Errorf("got %+v", got)
			}
			if diff := cmp.Diff(tc.asked, wl.asked); diff != "" {
				t.Error("asked the workload cluster for ", diff)
			}
			if got.Sought != Object(tc.of, tc.addon) {
				t.Errorf("looked for %s", got.Sought)
			}
		})
	}
}

func nameOf(u *unstructured.Unstructured) string {
	if u == nil {
		return ""
	}
	return u.GetName()
}

// An API server that does not answer is a failure, not an add-on that is missing.
func TestReadFails(t *testing.T) {
	apply(t, "clusterresourceset", "binding-applied", "helmchartproxy")
	for _, broken := range []string{"clusterresourcesets", "clusterresourcesetbindings", "helmreleaseproxies"} {
		t.Run(broken, func(t *testing.T) {
			c := rest.CopyConfig(config)
			c.Wrap(func(next http.RoundTripper) http.RoundTripper { return refusing{next, "/" + broken} })
			reader, err := client.New(c, client.Options{})
			if err != nil {
				t.Fatal(err)
			}
			a := fleetwrightv1.WorkloadClusterAddon{Name: "agent", Kind: "ClusterResourceSet"}
			if broken == "helmreleaseproxies" {
				a = fleetwrightv1.WorkloadClusterAddon{Name: "cilium", Kind: "HelmChartProxy"}
			}
			if _, err := Read(t.Context(), reader, api.RESTMapper(), &cluster{}, prod, a); !errors.Is(err, errRefused) {
				t.Errorf("it says %v", err)
			}
		})
	}
}

// The provider for Helm shares its group with Cluster API, and may be installed while Fleetwright runs: its version is a new one of a group that the
// client has discovered.
func TestReadAKindThatComesLater(t *testing.T) {
	apply(t, "helmchartproxy", "helmreleaseproxy")
	a := fleetwrightv1.WorkloadClusterAddon{Name: "cilium", Kind: "HelmChartProxy"}
	got, err := Read(t.Context(), api, ignorant{api.RESTMapper()}, &cluster{}, prod, a)
	if err != nil || !got.Served || nameOf(got.PerCluster) != "cilium-cilium-x7k2p" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// ignorant knows only of what it is asked for by its version.
type ignorant struct{ meta.RESTMapper }

func (i ignorant) RESTMapping(kind schema.GroupKind, versions ...string) (*meta.RESTMapping, error) {
	if len(versions) == 0 {
		return nil, &meta.NoKindMatchError{GroupKind: kind}
	}
	return i.RESTMapper.RESTMapping(kind, versions...)
}

var errRefused = errors.New("refused")

type refusing struct {
	next http.RoundTripper
	path string
}

func (r refusing) RoundTrip(request *http.Request) (*http.Response, error) {
	if strings.Contains(request.URL.Path, r.path) {
		return nil, errRefused
	}
	return r.next.RoundTrip(request)
}
