package capi

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/blang/semver/v4"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
	"github.com/fleetwright/fleetwright/internal/azure/identity"
)

// Cluster is a workload cluster as CAPI and CAPZ tell of it.
type Cluster struct {
	Namespace, Name string
	// Found is false when there is no such Cluster; the other fields are then
	// empty.
	Found    bool
	Deleting bool
	// CreatedAt is when the Cluster object was made.
	CreatedAt time.Time
	// Paused is true while spec.paused or the paused annotation asks for no
	// writes.
	Paused bool
	// Unsupported says why pools of this cluster cannot be managed, or is empty.
	Unsupported string
	// Unnamed is true while the Cluster names no control plane yet, as one of a
	// ClusterClass does not at first.
	Unnamed bool
	// Provisioned is true once the control plane was initialised.
	Provisioned bool
	// Version is the control plane's reported version, with v; before it reports
	// one, the version it is being made with.
	Version string
	// WantedVersion is what the control plane's spec asks for, with v.
	WantedVersion string
	// Operation is the control plane's operation in flight, or empty.
	Operation string
	// Labels are the Cluster's.
	Labels map[string]string
	// NodeCap is the highest number of nodes that the Cluster's annotation allows,
	// 0 when it says none or no number.
	NodeCap int32
	// Flavor is the kind of its pools' infrastructure objects, empty while it is
	// not known or not supported.
	Flavor string
	// SubscriptionID, ResourceGroup, Location and ManagedClusterName are where and
	// under which name Azure has the cluster; empty what is not known.
	SubscriptionID, ResourceGroup, Location, ManagedClusterName string
	// NetworkPlugin (azure, kubenet, none) and NetworkPluginMode (overlay) are the
	// cluster's, as AKS says them.
	NetworkPlugin, NetworkPluginMode string
	// KubeletIdentity and ControlPlaneIdentity are the object ids of the cluster's identities in Entra ID, empty where its objects do not
	// tell them (flavour AzureManaged, and before Azure has made them).
	KubeletIdentity, ControlPlaneIdentity string

	// network is the Azure resource id of the cluster's virtual network, nodeSubnet
	// the subnet of a pool that names none.
	network, nodeSubnet string
	// ownerName is what a pool names as its owner, annotations are what it needs to
	// be made in the same subscription as the cluster.
	ownerName   string
	annotations map[string]any
	// identity is what the control plane says about the identity in Azure.
	identity identity.Sources
}

func (c Cluster) key() types.NamespacedName {
	return types.NamespacedName{Namespace: c.Namespace, Name: c.Name}
}

// ManagedClusterID is the Azure resource id of the cluster, empty while it is not known.
func (c Cluster) ManagedClusterID() string {
	if c.SubscriptionID == "" || c.ResourceGroup == "" || c.ManagedClusterName == "" {
		return ""
	}
	return fmt.Sprintf("/subscriptions/%s/resourceGroups/%s/providers/Microsoft.ContainerService/managedClusters/%s",
		c.SubscriptionID, c.ResourceGroup, c.ManagedClusterName)
}

// PoolID is the Azure resource id of an agent pool of the cluster, empty while
// the cluster's own is not known.
func (c Cluster) PoolID(agentPool string) string {
	id := c.ManagedClusterID()
	if id == "" || agentPool == "" {
		return ""
	}
	return id + "/agentPools/" + agentPool
}

// subnetID is the Azure resource id of a subnet that is told by its name or by
// the id itself.
func (c Cluster) subnetID(subnet string) string {
	switch {
	case strings.HasPrefix(subnet, "/"):
		return subnet
	case subnet == "" || c.network == "":
		return ""
	}
	return c.network + "/subnets/" + subnet
}

// ReadCluster reads a Cluster and its control plane. A missing Cluster is no
// error; a missing control plane is a cluster that is not provisioned.
func ReadCluster(ctx context.Context, reader client.Reader, key types.NamespacedName) (Cluster, error) {
	out, cluster, err := readAlone(ctx, reader, key)
	if err != nil || !out.Found {
		return out, err
	}
	plane, infrastructure := cluster.Spec.ControlPlaneRef, cluster.Spec.InfrastructureRef
	out.Unnamed = plane.Kind == ""
	f := flavorOfCluster(infrastructure.Kind, plane.Kind)
	if f == nil {
		out.Unsupported = fmt.Sprintf("Cluster %s has infrastructure %q and control plane %q: Nodepools need %s",
			key.Name, infrastructure.Kind, plane.Kind, flavorNames())
		return out, nil
	}
	out.Flavor = f.Kinds().Pool.Kind
	out.Provisioned = ptr.Deref(cluster.Status.Initialization.ControlPlaneInitialized, false)
	err = out.readControlPlane(ctx, reader, f, types.NamespacedName{Namespace: key.Namespace, Name: plane.Name})
	return out, err
}

// ReadClusterAlone reads by one GET what a Cluster says without its control
// plane: whether it is there, leaves or is paused, and its labels. It is what is
// asked once more right before a write.
func ReadClusterAlone(ctx context.Context, reader client.Reader, key types.NamespacedName) (Cluster, error) {
	out, _, err := readAlone(ctx, reader, key)
	return out, err
}

func readAlone(ctx context.Context, reader client.Reader, key types.NamespacedName) (Cluster, *clusterv1.Cluster, error) {
	out, cluster := Cluster{Namespace: key.Namespace, Name: key.Name}, &clusterv1.Cluster{}
	if err := reader.Get(ctx, key, cluster); err != nil {
		// While the API server does not serve the kind or its version, it answers 404 as well, and says nothing about this Cluster.
		if apierrors.IsNotFound(err) && !apierrors.HasStatusCause(err, metav1.CauseTypeUnexpectedServerResponse) {
			return out, cluster, nil
		}
		return out, cluster, fmt.Errorf("read Cluster %s: %w", key, err)
	}
	_, annotated := cluster.Annotations[clusterv1.PausedAnnotation]
	out.Found, out.Deleting = true, !cluster.DeletionTimestamp.IsZero()
	out.CreatedAt = cluster.CreationTimestamp.Time
	out.Paused = annotated || ptr.Deref(cluster.Spec.Paused, false)
	out.Labels = cluster.Labels
	out.NodeCap = countIn(cluster.Annotations[fleetwrightv1.AnnotationNodeCap])
	return out, cluster, nil
}

func (c *Cluster) readControlPlane(ctx context.Context, reader client.Reader, f Flavor, key types.NamespacedName) error {
	plane := empty(f.Kinds().ControlPlane)
	if err := reader.Get(ctx, key, plane); err != nil {
		if apierrors.IsNotFound(err) {
			c.Provisioned = false
			return nil
		}
		return fmt.Errorf("read %s %s: %w", plane.GetKind(), key, err)
	}
	related, err := readRelated(ctx, reader, f, plane)
	if err != nil {
		return err
	}
	f.ReadControlPlane(c, plane, related)
	return nil
}

// readVersions takes the control plane's versions over: the one that is asked
// for, and the one it reports.
func (c *Cluster) readVersions(wanted, reported string) {
	c.WantedVersion, c.Version = withV(wanted), withV(reported)
	if !c.Provisioned || c.Version == "" {
		c.Version = c.WantedVersion
	}
}

// readOperation says what the control plane is busy with.
func (c *Cluster) readOperation(p Progress) {
	switch {
	case !c.Provisioned || p.State == Failed:
	case newer(c.WantedVersion, c.Version):
		// Not the other way round: AKS' auto-upgrade leaves the spec behind for good.
		c.Operation = "Upgrading"
	case p.State == Working:
		c.Operation = "Updating"
	}
}

func newer(a, b string) bool {
	left, errLeft := semver.ParseTolerant(a)
	right, errRight := semver.ParseTolerant(b)
	return errLeft == nil && errRight == nil && left.GT(right)
}

// withV puts the v before a version that CAPI has and AKS has not.
func withV(version string) string {
	if version == "" || version[0] == 'v' {
		return version
	}
	return "v" + version
}
