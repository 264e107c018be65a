package adopt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/effective"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
)

// inventory is what is read once for all clusters.
type inventory struct {
	// clusters are those that are asked for, by namespace and name.
	clusters []types.NamespacedName
	// nodepools are those of each cluster, configs the AzureClusterAdditionalConfigs, owners the WorkloadClusters.
	nodepools map[types.NamespacedName][]fleetwrightv1.Nodepool
	configs   map[types.NamespacedName]*fleetwrightv1.AzureClusterAdditionalConfig
	owners    map[types.NamespacedName]bool
}

// readInventory reads the clusters of a namespace, or of all when it is empty; of those that are named only these.
func readInventory(ctx context.Context, c client.Reader, namespace string, names []string) (inventory, error) {
	out := inventory{
		nodepools: map[types.NamespacedName][]fleetwrightv1.Nodepool{}, owners: map[types.NamespacedName]bool{},
		configs: map[types.NamespacedName]*fleetwrightv1.AzureClusterAdditionalConfig{},
	}
	in := client.InNamespace(namespace)
	all, err := capi.ReadClusterLabels(ctx, c, in)
	if err != nil {
		return out, err
	}
	for key := range all {
		if len(names) == 0 || slices.Contains(names, key.Name) {
			out.clusters = append(out.clusters, key)
		}
	}
	for _, name := range names {
		if _, there := all[types.NamespacedName{Namespace: namespace, Name: name}]; !there {
			return out, fmt.Errorf("there is no Cluster %s in namespace %s: `kubectl get clusters -A` lists all there are", name, namespace)
		}
	}
	slices.SortFunc(out.clusters, func(a, b types.NamespacedName) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	var nodepools fleetwrightv1.NodepoolList
	var configs fleetwrightv1.AzureClusterAdditionalConfigList
	var owners fleetwrightv1.WorkloadClusterList
	for _, list := range []client.ObjectList{&nodepools, &configs, &owners} {
		if err := c.List(ctx, list, in); err != nil {
			return out, fmt.Errorf("list what Fleetwright has: %w", err)
		}
	}
	for i := range nodepools.Items {
		np := &nodepools.Items[i]
		key := types.NamespacedName{Namespace: np.Namespace, Name: np.Spec.ClusterName}
		out.nodepools[key] = append(out.nodepools[key], *np)
	}
	for i := range configs.Items {
		out.configs[client.ObjectKeyFromObject(&configs.Items[i])] = &configs.Items[i]
	}
	for i := range owners.Items {
		out.owners[client.ObjectKeyFromObject(&owners.Items[i])] = true
	}
	return out, nil
}

// result is what became of one cluster.
type result struct {
	key types.NamespacedName
	// cluster is nil for one that cannot be adopted, for the reason that refusal tells.
	cluster *fleetwrightv1.WorkloadCluster
	refusal string
	// differences are what adopting would change, odd what stays as it is because a WorkloadCluster cannot say it.
	differences, odd []string
	// unasked is true when it is not known whether the WorkloadCluster may be in its namespace.
	unasked bool
	// untried is true when the API server was not asked whether it takes the WorkloadCluster.
	untried bool
}

// clusterName is what a WorkloadCluster may be called.
var clusterName = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,34}[a-z0-9])?$`)

// one makes the WorkloadCluster of a cluster that exists, and says what it would change.
func (i inventory) one(ctx context.Context, c client.Client, key types.NamespacedName, class *fleetwrightv1.WorkloadClusterClass) (result, error) {
	out := result{key: key}
	if !clusterName.MatchString(key.Name) {
		out.refusal = "a WorkloadCluster's name has at most 36 letters, digits and dashes, and begins with a letter"
		return out, nil
	}
	described, err := capi.Describe(ctx, c, key)
	if errors.Is(err, capi.ErrIndescribable) {
		_, out.refusal, _ = strings.Cut(err.Error(), capi.ErrIndescribable.Error()+": ")
		return out, nil
	} else if err != nil {
		return out, err
	}
	e := existing{Described: described, nodepools: i.nodepools[key], config: i.configs[key]}
	out.cluster = &fleetwrightv1.WorkloadCluster{}
	out.cluster.SetGroupVersionKind(fleetwrightv1.GroupVersion.WithKind("WorkloadCluster"))
	out.cluster.Namespace, out.cluster.Name = key.Namespace, key.Name
	if labels := e.labels(); len(labels) > 0 {
		out.cluster.Labels = labels
	}
	spec := &out.cluster.Spec
	if class != nil {
		if spec.ClassRef.Name = class.Name; class.Namespace != key.Namespace {
			spec.ClassRef.Namespace = class.Namespace
		}
	}
	spec.WorkloadClusterTemplate, out.odd = e.template(class)
	whole, err := effective.Of(class, out.cluster)
	if err != nil {
		return out, err
	}
	// More than that could never be, and the operator would refuse it.
	spec.Limits.MaxNodes = render.MostNodes(whole.Spec, fleetwrightv1.ClusterRangeNodes, e.Nodes)
	// The difference is shown first, and nothing is lost if the file is taken out again.
	spec.Adoption.Policy = fleetwrightv1.AdoptionPolicyReport
	spec.DeletionPolicy = fleetwrightv1.DeletionPolicyRetain
	// Nothing goes on that somebody holds back.
	spec.Reconcile = e.reconcile()
	if err := smallest(class, out.cluster); err != nil {
		return out, err
	}
	if out.differences, err = e.differences(ctx, c, class, out.cluster); err != nil {
		return out, err
	}
	var unwelcome []string
	if unwelcome, out.unasked, err = e.unwelcome(ctx, c, class); err != nil {
		return out, err
	}
	out.differences = append(out.differences, unwelcome...)
	refusal, untried, err := tryOut(ctx, c, out.cluster)
	if out.untried = untried; refusal != "" {
		out.differences = append(out.differences, "the API server refuses it: "+refusal)
	}
	return out, err
}

// readClass reads the class that --class names, as namespace/name or a name of the namespace; nil for none.
func readClass(ctx context.Context, c client.Reader, text, namespace string) (*fleetwrightv1.WorkloadClusterClass, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // none is asked for
	}
	key := types.NamespacedName{Namespace: namespace, Name: text}
	if of, name, told := strings.Cut(text, "/"); told {
		key = types.NamespacedName{Namespace: of, Name: name}
	}
	if key.Namespace == "" {
		return nil, fmt.Errorf("--class %s does not say which namespace: write NAMESPACE/%s", text, text)
	}
	class := &fleetwrightv1.WorkloadClusterClass{}
	err := c.Get(ctx, key, class)
	if apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("there is no WorkloadClusterClass %s: `kubectl get workloadclusterclasses -A` lists all there are", key)
	} else if err != nil {
		return nil, fmt.Errorf("read WorkloadClusterClass %s: %w", key, err)
	}
	return class, nil
}

// others are the clusters that no WorkloadCluster has yet, and how many have one.
func (i inventory) others() (out []types.NamespacedName, owned int) {
	for _, key := range i.clusters {
		if i.owners[key] {
			owned++
		} else {
			out = append(out, key)
		}
	}
	return slices.Clip(out), owned
}
