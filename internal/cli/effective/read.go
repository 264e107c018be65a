package effective

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/cli/management"
)

// standardInput is the name of a file that is none.
const standardInput = "-"

// reader reads WorkloadClusters and their classes, from files and from the management cluster.
type reader struct {
	connection *management.Connection
	// client is made when it is needed.
	client client.Reader
	// classes are those that were read already.
	classes map[types.NamespacedName]*fleetwrightv1.WorkloadClusterClass
}

func (r *reader) server() (client.Reader, error) {
	if r.client == nil {
		c, err := r.connection.Client()
		if err != nil {
			return nil, err
		}
		r.client = c
	}
	return r.client, nil
}

// live reads WorkloadClusters by their names.
func (r *reader) live(ctx context.Context, namespace string, names []string) ([]*fleetwrightv1.WorkloadCluster, error) {
	c, err := r.server()
	if err != nil {
		return nil, err
	}
	var out []*fleetwrightv1.WorkloadCluster
	for _, name := range names {
		cluster := &fleetwrightv1.WorkloadCluster{}
		err := c.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, cluster)
		if apierrors.IsNotFound(err) {
			return nil, fmt.Errorf("there is no WorkloadCluster %s in namespace %s: `kubectl get workloadclusters -A` lists all there are", name, namespace)
		} else if err != nil {
			return nil, fmt.Errorf("read WorkloadCluster %s/%s: %w", namespace, name, err)
		}
		out = append(out, cluster)
	}
	return out, nil
}

func (r *reader) names(ctx context.Context, namespace string) ([]string, error) {
	c, err := r.server()
	if err != nil {
		return nil, err
	}
	var all fleetwrightv1.WorkloadClusterList
	if err := c.List(ctx, &all, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	var out []string
	for i := range all.Items {
		out = append(out, all.Items[i].Name)
	}
	return out, nil
}

// files reads WorkloadClusters from files, in their order, and remembers the classes that are there too. Other kinds are left out without a word:
// what is built for a cluster has many.
func (r *reader) files(streams genericiooptions.IOStreams, files resource.FilenameOptions, namespace string, named bool) ([]*fleetwrightv1.WorkloadCluster, error) {
	// Local: neither kinds nor a cluster are needed.
	builder := resource.NewBuilder(r.connection).Unstructured().Local().Flatten()
	if slices.Contains(files.Filenames, standardInput) {
		builder.Stream(streams.In, "standard input")
		files.Filenames = slices.DeleteFunc(slices.Clone(files.Filenames), func(name string) bool { return name == standardInput })
	}
	if len(files.Filenames) > 0 || files.Kustomize != "" {
		builder.FilenameParam(false, &files)
	}
	infos, err := builder.Do().Infos()
	if err != nil {
		return nil, fmt.Errorf("read the files: %w", err)
	}
	var out []*fleetwrightv1.WorkloadCluster
	for _, info := range infos {
		object, ok := info.Object.(*unstructured.Unstructured)
		if !ok || object.GroupVersionKind().Group != fleetwrightv1.GroupVersion.Group {
			continue
		}
		switch object.GetKind() {
		case "WorkloadCluster":
			cluster := &fleetwrightv1.WorkloadCluster{}
			if err := understand(object, cluster, namespace, named); err != nil {
				return nil, err
			}
			out = append(out, cluster)
		case "WorkloadClusterClass":
			class := &fleetwrightv1.WorkloadClusterClass{}
			if err := understand(object, class, namespace, false); err != nil {
				return nil, err
			}
			r.remember(class)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("there is no WorkloadCluster (%s) in what was read", fleetwrightv1.GroupVersion)
	}
	return out, nil
}

// understand reads an object with every field known, and gives it its namespace as kubectl does.
func understand(from *unstructured.Unstructured, into client.Object, namespace string, named bool) error {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(from.Object, into, true); err != nil {
		return fmt.Errorf("%s %s: %w", from.GetKind(), from.GetName(), err)
	}
	if own := into.GetNamespace(); named && own != "" && own != namespace {
		return fmt.Errorf("%s %s is of namespace %s, and --namespace says %s", from.GetKind(), from.GetName(), own, namespace)
	}
	into.SetNamespace(cmp.Or(into.GetNamespace(), namespace, "default"))
	return nil
}

func (r *reader) remember(class *fleetwrightv1.WorkloadClusterClass) {
	if r.classes == nil {
		r.classes = map[types.NamespacedName]*fleetwrightv1.WorkloadClusterClass{}
	}
	r.classes[client.ObjectKeyFromObject(class)] = class
}

// class is that of a cluster, nil without one.
func (r *reader) class(ctx context.Context, cluster *fleetwrightv1.WorkloadCluster) (*fleetwrightv1.WorkloadClusterClass, error) {
	ref := cluster.Spec.ClassRef
	if ref.Name == "" {
		return nil, nil //nolint:nilnil // none is asked for
	}
	key := types.NamespacedName{Namespace: cmp.Or(ref.Namespace, cluster.Namespace), Name: ref.Name}
	if class := r.classes[key]; class != nil {
		return class, nil
	}
	c, err := r.server()
	if err != nil {
		return nil, err
	}
	class := &fleetwrightv1.WorkloadClusterClass{}
	err = c.Get(ctx, key, class)
	switch {
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("WorkloadCluster %s/%s points to WorkloadClusterClass %s, which is neither in the management cluster nor in the files: name one that is", cluster.Namespace, cluster.Name, key)
	case err != nil:
		return nil, fmt.Errorf("read WorkloadClusterClass %s: %w", key, err)
	}
	r.remember(class)
	return class, nil
}
