package adopt

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/capi"
	"github.com/fleetwright/fleetwright/internal/nodepool"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/effective"
	"github.com/fleetwright/fleetwright/internal/workloadcluster/render"
)

// differences is what would change in what exists if the WorkloadCluster took it over, by the operator's own rules; empty for nothing.
func (e existing) differences(ctx context.Context, reader client.Reader, class *fleetwrightv1.WorkloadClusterClass, cluster *fleetwrightv1.WorkloadCluster) ([]string, error) {
	whole, err := effective.Of(class, cluster)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, p := range effective.Problems(cluster.Name, whole, capi.OwnedOverrides()) {
		out = append(out, p.Reason+": "+p.Message)
	}
	in := render.Input{
		Namespace: cluster.Namespace, Name: cluster.Name, Labels: cluster.Labels, Effective: whole, Adopted: true, Version: whole.Spec.Version, Names: e.Names,
		Reconcile: cluster.Spec.Reconcile,
	}
	for _, r := range whole.Spec.Network.Addresses {
		if r.CIDR == "" {
			// A range that is carved is no range of this cluster, and its pools would be moved there.
			out = append(out, fmt.Sprintf("range %s would be carved from a pool, and the cluster's own is not known: take a class without network.addresses[%s], or give its cidr", r.Name, r.Name))
			continue
		}
		in.Bound = append(in.Bound, fleetwrightv1.BoundRange{Name: string(r.Name), CIDR: r.CIDR})
	}
	wish, err := render.Cluster(in)
	if err != nil {
		return append(out, err.Error()), nil
	}
	state, err := capi.ReadClusterState(ctx, reader, nil, wish)
	if err != nil {
		return nil, err
	}
	for _, change := range state.Changes {
		out = append(out, change.String())
	}
	for _, fixed := range state.Fixed {
		out = append(out, fixed.String()+", which nobody can change")
	}
	in.NetworkID, in.Subnets = state.NetworkID, state.Subnets
	out = append(out, e.poolDifferences(in)...)
	out = append(out, e.configDifferences(in)...)
	return append(out, addonDifferences(whole.Spec.Addons, state.Labels)...), nil
}

func (e existing) poolDifferences(in render.Input) []string {
	var out []string
	for _, pool := range in.Effective.Spec.Nodepools {
		name := render.NodepoolName(in.Name, pool.Name)
		wanted := render.Nodepool(in, pool, cmp.Or(pool.Spec.Version, in.Effective.Spec.Version))
		there := slices.IndexFunc(e.nodepools, func(np fleetwrightv1.Nodepool) bool { return np.Name == name })
		switch {
		case there >= 0:
			if fields := e.changed(e.nodepools[there].Spec, wanted); len(fields) > 0 {
				out = append(out, fmt.Sprintf("Nodepool %s would get other %s", name, strings.Join(fields, ", ")))
			}
			if line := render.ModeChange("Nodepool "+name, e.nodepools[there].Spec.Reconcile, in.Reconcile); line != "" {
				out = append(out, line)
			}
		case len(pool.MachinePools) == 0:
			out = append(out, fmt.Sprintf("Nodepool %s of the class would be made, with nodes of its own", name))
		}
		for _, p := range e.Pools {
			if !slices.Contains(pool.MachinePools, p.Object) {
				continue
			}
			if changes := nodepool.Differences(wanted, p); changes != "" {
				out = append(out, fmt.Sprintf("pool %s: %s", p.Name, changes))
			}
			if p.PublicName != "" && p.PublicName != pool.Name {
				out = append(out, render.PublicNameChange(p, pool.Name))
			}
		}
	}
	return out
}

// changed are the fields in which a Nodepool that exists would be told something else, besides those that are passed on to it. One that names no
// version has the control plane's already.
func (e existing) changed(is, wanted fleetwrightv1.NodepoolSpec) []string {
	return differing(e.without(asTemplate(is)), e.without(asTemplate(wanted)))
}

func (e existing) configDifferences(in render.Input) []string {
	wanted := render.Config(in)
	if wanted == nil {
		return nil
	}
	var out []string
	object, is := "AzureClusterAdditionalConfig "+in.Name, fleetwrightv1.AzureClusterAdditionalConfigSpec{}
	if e.config != nil {
		is = e.config.Spec
		if line := render.ModeChange(object, is.Reconcile, in.Reconcile); line != "" {
			out = append(out, line)
		}
	}
	is.ClusterName, is.Reconcile, is.DeletionPolicy = wanted.ClusterName, wanted.Reconcile, wanted.DeletionPolicy
	if fields := differing(is, *wanted); len(fields) > 0 {
		out = append(out, object+" would get other "+strings.Join(fields, ", "))
	}
	return out
}

// addonDifferences are the add-ons that installers would be called for.
func addonDifferences(all []fleetwrightv1.WorkloadClusterAddon, labels map[string]string) []string {
	var out []string
	for _, a := range all {
		if label := fleetwrightv1.LabelAddonPrefix + a.Name; labels[label] == "" {
			out = append(out, fmt.Sprintf("add-on %s: the Cluster would get label %s", a.Name, label))
		}
	}
	return out
}

// differing are the fields in which two values differ by their JSON.
func differing(is, wanted any) []string {
	left, right := fieldsOf(is), fieldsOf(wanted)
	var out []string
	for _, side := range []map[string]string{left, right} {
		for field := range side {
			if left[field] != right[field] && !slices.Contains(out, field) {
				out = append(out, field)
			}
		}
	}
	slices.Sort(out)
	return out
}

func fieldsOf(value any) map[string]string {
	tree, err := treeOf(value)
	if err != nil {
		return map[string]string{"": err.Error()}
	}
	out := map[string]string{}
	for field := range maps.Keys(tree) {
		// What came from JSON goes back to it.
		text, _ := json.Marshal(tree[field])
		out[field] = string(text)
	}
	return out
}

// mayCreate asks whether the user may create WorkloadClusters in the namespace.
func mayCreate(ctx context.Context, c client.Client, namespace string) (bool, error) {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
		Namespace: namespace, Verb: "create", Group: fleetwrightv1.GroupVersion.Group, Resource: "workloadclusters",
	}}}
	if err := c.Create(ctx, review); err != nil {
		return false, fmt.Errorf("ask whether you may create WorkloadClusters in namespace %s: %w", namespace, err)
	}
	return review.Status.Allowed, nil
}

// tryOut lets the API server say, in a dry run, whether it takes the WorkloadCluster; refusal is what it says. untried is true where the user may
// not ask.
func tryOut(ctx context.Context, c client.Client, cluster *fleetwrightv1.WorkloadCluster) (refusal string, untried bool, err error) {
	err = c.Create(ctx, cluster.DeepCopy(), client.DryRunAll, client.FieldValidation(metav1.FieldValidationStrict))
	switch {
	case apierrors.IsForbidden(err):
		// Policies, quotas and a namespace that goes away say so too, and of those people must hear.
		allowed, asking := mayCreate(ctx, c, cluster.Namespace)
		switch {
		case asking != nil:
			return "", false, asking
		case allowed:
			return err.Error(), false, nil
		}
		return "", true, nil
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return err.Error(), false, nil
	}
	return "", false, err
}
