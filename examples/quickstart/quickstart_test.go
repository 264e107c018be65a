package quickstart_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/examples/quickstart"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/testkit"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/effective"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
)

var server client.Client

func TestMain(m *testing.M) {
	const generated = "../../localstack/crds/generated/"
	os.Exit(testkit.Main(m, func(config *rest.Config) (err error) {
		server, err = testkit.Connect(config)
		return err
	}, generated+"capi/clusterresourcesets.addons.cluster.x-k8s.io.json", generated+"capz/azureclusteridentities.infrastructure.cluster.x-k8s.io.json"))
}

// objects are all of a folder.
func objects(t *testing.T, folder string) []*unstructured.Unstructured {
	t.Helper()
	paths, err := fs.Glob(quickstart.Manifests, path.Join(folder, "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%v: %v", paths, err)
	}
	var out []*unstructured.Unstructured
	for _, each := range paths {
		content, err := fs.ReadFile(quickstart.Manifests, each)
		if err != nil {
			t.Fatal(err)
		}
		for decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096); ; {
			object := &unstructured.Unstructured{}
			if err := decoder.Decode(&object.Object); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", each, err)
			}
			out = append(out, object)
		}
	}
	return out
}

// TestTheAPIServerTakesIt applies all of it with strict validation, the one resource last.
func TestTheAPIServerTakesIt(t *testing.T) {
	strict := client.WithFieldValidation(server, metav1.FieldValidationStrict)
	for _, object := range append(objects(t, "platform"), objects(t, ".")...) {
		if err := strict.Create(t.Context(), object); err != nil {
			t.Errorf("%s %s: %v", object.GetKind(), object.GetName(), err)
		}
	}
}

// TestItAmountsToACluster merges class and cluster, in both flavours.
func TestItAmountsToACluster(t *testing.T) {
	class, cluster := &fleetwrightv1.WorkloadClusterClass{}, &fleetwrightv1.WorkloadCluster{}
	for _, object := range append(objects(t, "platform"), objects(t, ".")...) {
		for kind, into := range map[string]any{"WorkloadClusterClass": class, "WorkloadCluster": cluster} {
			if object.GetKind() != kind {
				continue
			}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, into); err != nil {
				t.Fatal(err)
			}
		}
	}
	if cluster.Spec.ClassRef.Name != class.Name || class.Name == "" {
		t.Fatalf("the cluster is of class %q, and there is %q", cluster.Spec.ClassRef.Name, class.Name)
	}
	for _, flavour := range []fleetwrightv1.WorkloadClusterFlavor{fleetwrightv1.WorkloadClusterFlavorASO, fleetwrightv1.WorkloadClusterFlavorManaged} {
		cluster.Spec.Flavor = flavour
		amounts, err := effective.Of(class, cluster)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range effective.Problems(cluster.Name, amounts, capi.OwnedOverrides()) {
			t.Errorf("%s: %s: %s", flavour, problem.Reason, problem.Message)
		}
		in := render.Input{Namespace: cluster.Namespace, Name: cluster.Name, Effective: amounts, Version: cluster.Spec.Version}
		if claim, err := render.Claim(in); err != nil || len(claim.Ranges) != 4 {
			t.Errorf("%s: claim %v, %v", flavour, claim, err)
		}
		if wish, err := render.Cluster(in); err != nil || wish.Flavor != string(flavour) || wish.Location != "westeurope" {
			t.Errorf("%s: %+v, %v", flavour, wish, err)
		}
	}
}
