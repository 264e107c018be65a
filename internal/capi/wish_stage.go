package capi

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/fleetwright/fleetwright/internal/azure/refusal"
)

// +kubebuilder:rbac:groups=resources.azure.com,resources=resourcegroups,verbs=get
// +kubebuilder:rbac:groups=network.azure.com,resources=virtualnetworks;virtualnetworkssubnets,verbs=get

// Stage is one part that Azure makes.
type Stage struct {
	Exists, Done bool
	// Started and Finished are zero while they are not known.
	Started, Finished time.Time
	// Problem quotes what stands in the way, empty for nothing that is known. Fatal is true when a person has to act.
	Problem string
	Fatal   bool
}

func (s *ClusterState) readStages(ctx context.Context, live client.Reader, p parts) error {
	s.Infrastructure.readObject(p.infrastructure)
	s.ControlPlane.readObject(p.controlPlane)
	if p.flavor.Kinds().Related != nil {
		if err := s.Infrastructure.readResources(ctx, live, p.infrastructure); err != nil {
			return err
		}
		s.ControlPlane.readProgress(p.related)
	} else {
		s.readManagedStages(p)
	}
	// Cluster API's word on it lasts, unlike CAPZ's, and only with it are there nodes.
	initialized := initializedAt(p.cluster)
	s.ControlPlane.Done = s.ControlPlane.Exists && !initialized.IsZero() && s.Version != "" && !newer(s.WantedVersion, s.Version)
	if s.ControlPlane.Done {
		s.ControlPlane.Finished = initialized
		if !s.ControlPlane.Fatal { // a change that Azure refuses for good is told; what passes is nobody's question of one that serves
			s.ControlPlane.Problem = ""
		}
	}
	return nil
}

func (s *Stage) readObject(o *unstructured.Unstructured) {
	if o != nil {
		s.Exists, s.Started = true, o.GetCreationTimestamp().Time
	}
}

// initializedAt is when Cluster API first could use the control plane, zero while it could not.
func initializedAt(cluster *clusterv1.Cluster) time.Time {
	if cluster == nil {
		return time.Time{}
	}
	if c := meta.FindStatusCondition(cluster.Status.Conditions, clusterv1.ClusterControlPlaneInitializedCondition); c != nil && c.Status == "True" {
		return c.LastTransitionTime.Time
	}
	return time.Time{}
}

// readResources: an AzureASOManagedCluster is ready only with its control plane, so its resources are asked. CAPZ says whether each is ready; why
// not and since when, they say themselves.
func (s *Stage) readResources(ctx context.Context, live client.Reader, infrastructure *unstructured.Unstructured) error {
	if infrastructure == nil {
		return nil
	}
	wanted := keyed(treeAt(infrastructure, "spec"))
	told, _, _ := unstructured.NestedSlice(infrastructure.Object, "status", "resources")
	s.Done = len(wanted.resourceOrder) > 0 && len(told) >= len(wanted.resourceOrder)
	for _, item := range told {
		status, _ := item.(map[string]any)
		ready, _ := status["ready"].(bool)
		s.Done = s.Done && ready
	}
	if live == nil {
		return nil
	}
	for _, key := range wanted.resourceOrder {
		resource := &unstructured.Unstructured{Object: wanted.resources[key]}
		there, err := readOne(ctx, live, resource.GroupVersionKind(), infrastructure.GetNamespace(), resource.GetName())
		if meta.IsNoMatchError(err) {
			s.refuse("%s of %s is not served: install Azure Service Operator with it", resource.GetKind(), resource.GetAPIVersion())
			continue
		}
		if err != nil {
			return err
		}
		s.readProgress(there)
	}
	return nil
}

// readProgress takes over what an object of Azure Service Operator says of itself. Of several, the first problem counts and the last end.
func (s *Stage) readProgress(o *unstructured.Unstructured) {
	if o == nil {
		return
	}
	progress := asoProgress(o)
	switch {
	case progress.State == Done && s.Done && progress.Since.After(s.Finished):
		s.Finished = progress.Since
	case progress.State == Failed && s.Problem == "":
		s.Problem = fmt.Sprintf("%s %s: %s", o.GetKind(), o.GetName(), progress.Message)
		s.Fatal = progress.lasting || stuck(progress.Message)
	}
}

func (s *Stage) refuse(format string, args ...any) {
	if s.Problem == "" {
		s.Problem, s.Fatal = fmt.Sprintf(format, args...), true
	}
}

// stuck is true for a refusal that Azure will not take back by itself, as far as its code is known.
func stuck(text string) bool {
	said := refusal.Said("", text)
	return said.Kind == refusal.Denied || said.Kind == refusal.Final && said.Code != ""
}

// readManagedStages: CAPZ says in conditions of the control plane how far each part has come.
func (s *ClusterState) readManagedStages(p parts) {
	if p.controlPlane == nil {
		return
	}
	stage := &s.Infrastructure
	done := true
	for _, kind := range []string{"ResourceGroupReady", "VNetReady", "SubnetsReady"} {
		c := conditionOf(p.controlPlane, kind)
		done = done && c.status == "True"
		if since := timeOr(c.since, time.Time{}); c.status == "True" && since.After(stage.Finished) {
			stage.Finished = since
		}
		stage.readCondition(kind, c)
	}
	// A network that people made has no condition.
	if stage.Done = stage.Exists && (done || s.Provisioned); !stage.Done {
		stage.Finished = time.Time{}
	}
	s.ControlPlane.readCondition("ManagedClusterRunning", conditionOf(p.controlPlane, "ManagedClusterRunning"))
}

func (s *Stage) readCondition(kind string, c condition) {
	if progress := c.progress(); progress.State == Failed && s.Problem == "" {
		s.Problem, s.Fatal = fmt.Sprintf("%s: %s", kind, progress.Message), stuck(progress.Message)
	}
}

// networkID is the id in Azure of the network that was made with the cluster, empty while it is not known and for one that is shared.
func (p *parts) networkID(c Cluster) string {
	if !p.ownsNetwork() {
		return ""
	}
	if p.flavor.Kinds().Related == nil {
		if !c.Provisioned {
			return ""
		}
		return c.network
	}
	if c.SubscriptionID == "" {
		return ""
	}
	network := resourceOf(p.infrastructure, asoNetworkKind)
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Network/virtualNetworks/%s",
		c.SubscriptionID, c.ResourceGroup, cmp.Or(stringAt(network, "spec", "azureName"), network.GetName()))
}
