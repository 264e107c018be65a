package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	clusterandnodepools "github.com/fleetwright/fleetwright/examples/cluster-and-nodepools"
)

const (
	fieldOwner = "fleetwright-bench"
	// poolsPerCluster and nodesPerCluster are what examples/cluster-and-nodepools has.
	poolsPerCluster, nodesPerCluster = 2, 5
	// clusterPatience is how long one more cluster may take; several at once may take as many times that.
	clusterPatience = 2 * time.Minute
)

// fleet creates clusters from examples/cluster-and-nodepools, each under a name and in a namespace of its own.
type fleet struct {
	client client.Client
	size   int
}

func newFleet(kubeconfig string) (*fleet, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read the management cluster's kubeconfig: %w", err)
	}
	config.UserAgent, config.QPS = fieldOwner, -1
	config.WarningHandlerWithContext = rest.NoWarnings{} // CAPZ's kinds say with each write that they are deprecated
	c, err := client.New(config, client.Options{})
	if err != nil {
		return nil, fmt.Errorf("connect to the management cluster: %w", err)
	}
	return &fleet{client: c}, nil
}

// grow creates n more clusters at once and returns how long it took until all their node pools were ready.
func (f *fleet) grow(ctx context.Context, n int) (time.Duration, error) {
	began := time.Now()
	for range n {
		f.size++
		if err := f.create(ctx, fmt.Sprintf("bench-%02d", f.size)); err != nil {
			return 0, err
		}
	}
	err := await(ctx, time.Duration(n)*clusterPatience, fmt.Sprintf("%d clusters are ready", f.size), func() (bool, error) {
		return f.ready(ctx), nil
	})
	return time.Since(began), err
}

func (f *fleet) create(ctx context.Context, name string) error {
	objects, err := renamed(clusterandnodepools.Manifests, name)
	if err != nil {
		return err
	}
	for _, object := range objects {
		err := f.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner(fieldOwner), client.ForceOwnership)
		if err != nil {
			return fmt.Errorf("apply %s %s: %w", object.GetKind(), client.ObjectKeyFromObject(object), err)
		}
	}
	return nil
}

// ready says whether all node pools of all clusters are. A failed look counts as no: it is tried again.
func (f *fleet) ready(ctx context.Context) bool {
	pools := &unstructured.UnstructuredList{}
	pools.SetGroupVersionKind(schema.GroupVersionKind{Group: fleetwrightv1.GroupVersion.Group, Version: fleetwrightv1.GroupVersion.Version, Kind: "NodepoolList"})
	if err := f.client.List(ctx, pools); err != nil || len(pools.Items) != f.size*poolsPerCluster {
		return false
	}
	for i := range pools.Items {
		if !isReady(&pools.Items[i]) {
			return false
		}
	}
	return true
}

func isReady(object *unstructured.Unstructured) bool {
	return hasCondition(object, fleetwrightv1.ConditionReady)
}

// hasCondition is true when the condition is True.
func hasCondition(object *unstructured.Unstructured, kind string) bool {
	conditions, _, err := unstructured.NestedSlice(object.Object, "status", "conditions")
	if err != nil {
		return false
	}
	for _, entry := range conditions {
		condition, ok := entry.(map[string]any)
		if ok && condition["type"] == kind {
			return condition["status"] == "True"
		}
	}
	return false
}

// renamed returns the objects of the example's management part with every name and namespace replaced, and the namespace
// itself in front.
func renamed(files fs.FS, name string) ([]*unstructured.Unstructured, error) {
	namespace := &unstructured.Unstructured{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	namespace.SetName(name)
	objects := []*unstructured.Unstructured{namespace}
	paths, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, fmt.Errorf("list the example: %w", err)
	}
	for _, path := range paths {
		content, err := fs.ReadFile(files, path)
		if err != nil {
			return nil, fmt.Errorf("read the example: %w", err)
		}
		text := strings.NewReplacer("quickstart", name, "namespace: default", "namespace: "+name).Replace(string(content))
		decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewBufferString(text), 4096)
		for {
			object := &unstructured.Unstructured{}
			err := decoder.Decode(&object.Object)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("read the example's %s: %w", path, err)
			}
			if len(object.Object) > 0 {
				objects = append(objects, object)
			}
		}
	}
	return objects, nil
}
