package capi

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	fleetwrightv1 "github.com/fleetwright/fleetwright/api/v1alpha1"
)

// ErrIndescribable is wrapped when a Cluster cannot be a WorkloadCluster's.
var ErrIndescribable = errors.New("it cannot become a WorkloadCluster's")

// Described is a cluster that exists, as a wish that changes nothing in it.
type Described struct {
	Wish
	// Pools are its MachinePools with the names of their agent pools and what a Nodepool would say of them.
	Pools []Pool
	// Odd is what a wish cannot say, and which therefore stays as it is.
	Odd []string
}

func (d *Described) odd(format string, args ...any) {
	d.Odd = append(d.Odd, fmt.Sprintf(format, args...))
}

// Describe reads a cluster of either flavour for adoption. An error that wraps ErrIndescribable says what is against it; others are of reading.
func Describe(ctx context.Context, reader client.Reader, key types.NamespacedName) (Described, error) {
	p, cluster, err := readParts(ctx, reader, Wish{Namespace: key.Namespace, Name: key.Name})
	if err != nil {
		return Described{}, err
	}
	if err := p.describable(cluster); err != nil {
		return Described{}, fmt.Errorf("describe Cluster %s: %w: %w", key, ErrIndescribable, err)
	}
	p.flavor.ReadControlPlane(&cluster, p.controlPlane, p.related)
	out := p.describe(cluster)
	// What is done with the pools just now is nobody's question here, so no time is needed.
	if out.Pools, err = cluster.ReadPools(ctx, reader, time.Time{}); err != nil {
		return Described{}, err
	}
	return out, nil
}

// describable is why a cluster cannot be a WorkloadCluster's, nil if it can.
func (p *parts) describable(c Cluster) error {
	switch {
	case !c.Found:
		return errors.New("there is no such Cluster")
	case c.Deleting:
		return ErrLeaving
	case p.cluster.Spec.Topology.IsDefined():
		return fmt.Errorf("its ClusterClass %s has the word on its objects", p.cluster.Spec.Topology.ClassRef.Name)
	case c.Unsupported != "":
		return errors.New(c.Unsupported)
	case p.infrastructure == nil:
		return fmt.Errorf("%s %s, which it names, does not exist", p.flavor.Kinds().Cluster, p.cluster.Spec.InfrastructureRef.Name)
	case p.controlPlane == nil:
		return fmt.Errorf("%s %s, which it names, does not exist", p.flavor.Kinds().ControlPlane.Kind, p.cluster.Spec.ControlPlaneRef.Name)
	case p.flavor.Kinds().Related != nil && resourceOf(p.controlPlane, asoManagedCluster.Kind) == nil:
		return fmt.Errorf("%s %s has no ManagedCluster in spec.resources", p.controlPlane.GetKind(), p.controlPlane.GetName())
	}
	return nil
}

// describe is pure.
func (p *parts) describe(c Cluster) Described {
	d := Described{Wish: Wish{
		Namespace: c.Namespace, Name: c.Name, NodeCap: c.NodeCap, Names: p.names(), SubscriptionID: c.SubscriptionID,
		Version: withV(stringAt(p.controlPlane, "spec", "version")), Labels: map[string]string{},
	}}
	for key, value := range c.Labels {
		if prefix, _, _ := strings.Cut(key, "/"); !strings.HasSuffix(prefix, "fleetwright.io") && !strings.HasSuffix(prefix, "cluster.x-k8s.io") {
			d.Labels[key] = value
		}
	}
	network := p.cluster.Spec.ClusterNetwork
	if blocks := network.Pods.CIDRBlocks; len(blocks) > 0 {
		d.Pods = blocks[0]
	}
	if blocks := network.Services.CIDRBlocks; len(blocks) > 0 {
		d.Services = blocks[0]
	}
	if p.flavor.Kinds().Related != nil {
		d.Flavor = string(fleetwrightv1.WorkloadClusterFlavorASO)
		d.describeASO(p, c)
	} else {
		d.Flavor = string(fleetwrightv1.WorkloadClusterFlavorManaged)
		d.describeManaged(p, c)
	}
	return d
}

// describeNetwork takes over what both flavours say of it by their own names.
func (d *Described) describeNetwork(plugin, mode, dataplane, policy, outbound string) {
	if plugin != "" && plugin != "azure" {
		d.odd("networkPlugin is %s", plugin)
	}
	d.NetworkPluginMode = mode
	switch {
	case dataplane == dataplaneCilium && policy != dataplaneCilium:
		d.odd("networkDataplane is cilium with networkPolicy %q", policy)
	default:
		d.Dataplane = dataplane
	}
	switch outbound {
	case "", "loadBalancer", "managedNATGateway", "userDefinedRouting":
		d.OutboundType = outbound
	default:
		d.odd("outboundType is %s", outbound)
	}
}
