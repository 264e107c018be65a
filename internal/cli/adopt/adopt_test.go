package adopt_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cli"
	"github.com/fleetwright/fleetwright/internal/nodepool"
	"github.com/fleetwright/fleetwright/internal/testkit"
	"github.com/fleetwright/fleetwright/internal/workloadcluster"
)

// fleet is a namespace of clusters, and the plugin that looks at it.
type fleet struct {
	t                     *testing.T
	namespace, kubeconfig string
}

func newFleet(t *testing.T, namespace string) *fleet {
	t.Helper()
	f := &fleet{t: t, namespace: namespace, kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	f.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	config := clientcmdapi.Config{
		CurrentContext: "c",
		Contexts:       map[string]*clientcmdapi.Context{"c": {Cluster: "c", AuthInfo: "c"}},
		Clusters:       map[string]*clientcmdapi.Cluster{"c": {Server: serverConfig.Host, CertificateAuthorityData: serverConfig.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{"c": {ClientCertificateData: serverConfig.CertData, ClientKeyData: serverConfig.KeyData}},
	}
	if err := clientcmd.WriteToFile(config, f.kubeconfig); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fleet) create(o client.Object) {
	f.t.Helper()
	if err := server.Create(f.t.Context(), o); err != nil {
		f.t.Fatalf("create %T %s: %v", o, o.GetName(), err)
	}
}

// edit changes an object that is there.
func (f *fleet) edit(o client.Object, name string, change func()) {
	f.t.Helper()
	key := types.NamespacedName{Namespace: f.namespace, Name: name}
	if _, is := o.(*corev1.Namespace); is {
		key.Namespace = ""
	}
	if err := server.Get(f.t.Context(), key, o); err != nil {
		f.t.Fatal(err)
	}
	change()
	if err := server.Update(f.t.Context(), o); err != nil {
		f.t.Fatal(err)
	}
}

// run is the plugin as a person types it, in the fleet's namespace.
func (f *fleet) run(args ...string) (code int, out, errOut string) {
	f.t.Helper()
	var o, e bytes.Buffer
	streams := genericiooptions.IOStreams{In: strings.NewReader(""), Out: &o, ErrOut: &e}
	code = cli.Run(f.t.Context(), cli.New(streams), append([]string{"--kubeconfig", f.kubeconfig, "--namespace", f.namespace}, args...))
	return code, o.String(), e.String()
}

// objects are those of a text, in their order.
func (f *fleet) objects(text string) []*unstructured.Unstructured {
	f.t.Helper()
	var out []*unstructured.Unstructured
	for decoder := utilyaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096); ; {
		o := &unstructured.Unstructured{}
		if err := decoder.Decode(&o.Object); err != nil {
			return out
		}
		if o.GetKind() != "" {
			out = append(out, o)
		}
	}
}

// make makes what a file has, with words in it replaced.
func (f *fleet) make(file string, words ...string) {
	f.t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		f.t.Fatal(err)
	}
	for _, o := range f.objects(strings.NewReplacer(words...).Replace(string(text))) {
		o.SetNamespace(f.namespace)
		f.create(o)
	}
}

// cluster makes one of a flavour with a System and a User pool, which are Nodepools' or nobody's.
func (f *fleet) cluster(flavor, name string, nodepools bool, words ...string) {
	f.t.Helper()
	words = append(words, "NAME", name, "VERSION", "v1.33.6", "TIER", "Standard", "ANNOTATION", "")
	f.make(flavor+".yaml", words...)
	for _, pool := range []string{"system", "general"} {
		mode, label := "User", ""
		if pool == "system" {
			mode = "System"
		}
		if nodepools {
			label = "fleetwright.io/nodepool: " + name + "-" + pool
			np := &fleetwrightv1.Nodepool{
				ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: name + "-" + pool},
				Spec: fleetwrightv1.NodepoolSpec{
					ClusterName: name, Mode: fleetwrightv1.NodepoolMode(mode), MachineType: "Standard_D8ds_v5",
					Labels: map[string]fleetwrightv1.LabelValue{"example.com/team": "a"}, DeletionPolicy: "Protect",
				},
			}
			if pool == "system" { // the other one follows the control plane
				np.Spec.Version = "v1.33.6"
			}
			f.create(np)
		}
		f.make(flavor+"-pool.yaml", append([]string{"POOL", pool, "MODE", mode, "LABEL", label}, words...)...)
	}
}

// everything is each object of the namespace with its version.
func (f *fleet) everything() map[string]string {
	f.t.Helper()
	out := map[string]string{}
	for _, kind := range []schema.GroupVersionKind{
		{Group: "cluster.x-k8s.io", Version: "v1beta2", Kind: "Cluster"}, {Group: "cluster.x-k8s.io", Version: "v1beta2", Kind: "MachinePool"},
		{Group: "infrastructure.cluster.x-k8s.io", Version: "v1beta1", Kind: "AzureASOManagedCluster"},
		{Group: "infrastructure.cluster.x-k8s.io", Version: "v1beta1", Kind: "AzureASOManagedControlPlane"},
		{Group: "infrastructure.cluster.x-k8s.io", Version: "v1beta1", Kind: "AzureManagedControlPlane"},
		fleetwrightv1.GroupVersion.WithKind("Nodepool"), fleetwrightv1.GroupVersion.WithKind("AddressClaim"),
		fleetwrightv1.GroupVersion.WithKind("AzureClusterAdditionalConfig"),
	} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(kind)
		if err := server.List(f.t.Context(), list, client.InNamespace(f.namespace)); err != nil {
			f.t.Fatal(err)
		}
		for _, o := range list.Items {
			out[o.GetKind()+" "+o.GetName()] = o.GetResourceVersion()
		}
	}
	return out
}

type silent struct{}

func (silent) Object(context.Context, types.NamespacedName, schema.GroupVersionKind, types.NamespacedName) (*unstructured.Unstructured, error) {
	return nil, nil
}

// operator runs the controller of WorkloadClusters until the test ends.
func (f *fleet) operator() {
	f.t.Helper()
	mgr := testkit.NewManager(f.t, serverConfig, server.Scheme())
	if err := workloadcluster.AddToManager(f.t.Context(), mgr, workloadcluster.Options{
		Workers: 10, Workload: silent{}, PoolDifferences: nodepool.Differences, Namespace: "manager",
	}); err != nil {
		f.t.Fatal(err)
	}
	testkit.Run(f.t, mgr)
}

// adopted is what the operator says about condition Adopted of each WorkloadCluster, once it has of all of them.
func (f *fleet) adopted() map[string]string {
	f.t.Helper()
	var out map[string]string
	testkit.Eventually(f.t, "the operator says what it would change", func() error {
		var all fleetwrightv1.WorkloadClusterList
		if err := server.List(f.t.Context(), &all, client.InNamespace(f.namespace)); err != nil {
			return err
		}
		out = map[string]string{}
		for _, w := range all.Items {
			c := meta.FindStatusCondition(w.Status.Conditions, "Adopted")
			if c == nil {
				return fmt.Errorf("nothing of %s", w.Name)
			}
			out[w.Name] = fmt.Sprintf("%s %s: %s", c.Status, c.Reason, c.Message)
		}
		return nil
	})
	return out
}

// Eighty clusters of four shapes become WorkloadClusters in one go, and the operator says of each that nothing would change.
func TestEightyClusters(t *testing.T) {
	const each = 20
	f := newFleet(t, "eighty")
	want := map[string]string{}
	for i := range each {
		for _, flavor := range []string{"aso", "managed"} {
			for shape, nodepools := range map[string]bool{"nodepools": true, "plain": false} {
				name := fmt.Sprintf("%s-%s-%02d", flavor, shape, i)
				f.cluster(flavor, name, nodepools)
				want[name] = "False Differs: nothing would change"
				if !nodepools {
					want[name] = fmt.Sprintf("False Differs: it would be changed: Nodepool %[1]s-general would take over %[1]s-general, Nodepool %[1]s-system would take over %[1]s-system", name)
				}
			}
		}
	}
	before := f.everything()
	code, out, errOut := f.run("adopt")
	if said := "80 clusters: 80 adopted without a change, 0 with one\n"; code != 0 || errOut != said {
		t.Fatalf("exit code %d, error stream:\n%s", code, errOut)
	}
	f.operator()
	for _, o := range f.objects(out) {
		f.create(o)
	}
	if diff := cmp.Diff(want, f.adopted()); diff != "" {
		t.Errorf("what the operator says (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, f.everything()); diff != "" {
		t.Errorf("something was written:\n%s", diff)
	}
	code, _, errOut = f.run("adopt")
	if said := "error: there is no Cluster in namespace eighty that is to be adopted: 80 have their WorkloadCluster already\n"; code != 1 || errOut != said {
		t.Errorf("exit code %d, %s", code, errOut)
	}
}
