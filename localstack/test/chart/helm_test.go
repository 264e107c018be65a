package chart_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

const (
	root      = "../../.."
	chart     = root + "/charts/fleetwright"
	release   = "fleetwright"
	namespace = "fleetwright-system"
)

// helm runs the pinned Helm with folders of its own, so that a person's Helm settings do not matter. It returns standard output.
func helm(t *testing.T, kubeconfig string, args ...string) (string, error) {
	t.Helper()
	program, err := filepath.Abs(root + "/bin/helm")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("there is no Helm at bin/helm: run `make test`, or `make bin/helm` once and then `go test`")
	}
	home := t.TempDir()
	command := exec.CommandContext(t.Context(), program, args...)
	command.Env = append(os.Environ(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home, "KUBECONFIG="+kubeconfig)
	var out, complaints bytes.Buffer
	command.Stdout, command.Stderr = &out, &complaints
	if err := command.Run(); err != nil {
		return out.String(), errors.New(strings.TrimSpace(complaints.String() + " " + err.Error()))
	}
	return out.String(), nil
}

// render is what `helm install` would send to the API server.
func render(t *testing.T, values ...string) objects {
	t.Helper()
	args := []string{"template", release, chart, "--namespace", namespace}
	for _, v := range values {
		args = append(args, "--set", v)
	}
	out, err := helm(t, "", args...)
	if err != nil {
		t.Fatalf("helm %s: %v", strings.Join(args, " "), err)
	}
	return decode(t, strings.NewReader(out))
}

// objects are manifests by kind and name, as in "Deployment fleetwright".
type objects map[string]*unstructured.Unstructured

func decode(t *testing.T, in io.Reader) objects {
	t.Helper()
	out := objects{}
	decoder := yaml.NewYAMLOrJSONDecoder(in, 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(object.Object) == 0 {
			continue
		}
		key := object.GetKind() + " " + object.GetName()
		if out[key] != nil {
			t.Fatalf("%s is there twice", key)
		}
		out[key] = object
	}
}

func decodeFile(t *testing.T, path string) objects {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, bytes.NewReader(content))
}

// as converts a manifest and refuses fields that its kind does not have.
func as[T any](t *testing.T, all objects, key string) *T {
	t.Helper()
	if all[key] == nil {
		t.Fatalf("there is no %s", key)
	}
	var typed T
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(all[key].Object, &typed, true); err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return &typed
}

// The kinds that the tests look into.
type (
	deployment = appsv1.Deployment
	service    = corev1.Service
	rules      = rbacv1.Role // a ClusterRole has the same fields
	definition = apiextensionsv1.CustomResourceDefinition
)
