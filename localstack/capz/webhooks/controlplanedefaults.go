package webhooks

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/ssh"
	"k8s.io/utils/ptr"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
)

// Default implements admission.Defaulter, after internal/api/v1beta1/azuremanagedcontrolplane_default.go.
func (*controlPlaneWebhook) Default(_ context.Context, plane *infrav1.AzureManagedControlPlane) error {
	defaultVersionAndTier(plane)
	defaultNames(plane)
	defaultNetwork(plane)
	spec := &plane.Spec
	if spec.SSHPublicKey != nil && *spec.SSHPublicKey == "" {
		key, err := newSSHPublicKey()
		if err != nil {
			return fmt.Errorf("make an SSH key: %w", err)
		}
		spec.SSHPublicKey = &key
	}
	if spec.OIDCIssuerProfile == nil {
		spec.OIDCIssuerProfile = &infrav1.OIDCIssuerProfile{}
	}
	return nil
}

func defaultVersionAndTier(plane *infrav1.AzureManagedControlPlane) {
	spec := &plane.Spec
	if spec.Version != "" && !strings.HasPrefix(spec.Version, "v") {
		spec.Version = "v" + spec.Version
	}
	switch {
	case spec.SKU == nil:
		spec.SKU = &infrav1.AKSSku{Tier: infrav1.FreeManagedControlPlaneTier}
	case spec.SKU.Tier == infrav1.PaidManagedControlPlaneTier:
		spec.SKU.Tier = infrav1.StandardManagedControlPlaneTier
	}
}

func defaultNames(plane *infrav1.AzureManagedControlPlane) {
	spec := &plane.Spec
	if spec.FleetsMember != nil && spec.FleetsMember.Name == "" {
		spec.FleetsMember.Name = plane.Labels[clusterv1.ClusterNameLabel]
	}
	if spec.ResourceGroupName == "" {
		spec.ResourceGroupName = plane.Labels[clusterv1.ClusterNameLabel]
	}
	if spec.NodeResourceGroupName == "" {
		spec.NodeResourceGroupName = fmt.Sprintf("MC_%s_%s_%s", spec.ResourceGroupName, plane.Name, spec.Location)
	}
	if spec.DNSPrefix == nil {
		spec.DNSPrefix = ptr.To(plane.Name)
	}
	for i := range spec.Extensions {
		if plan := spec.Extensions[i].Plan; plan != nil && plan.Name == "" {
			plan.Name = plane.Name + "-" + plan.Product
		}
	}
}

func defaultNetwork(plane *infrav1.AzureManagedControlPlane) {
	network, subnet := "10.0.0.0/8", "10.240.0.0/16"
	if ptr.Deref(plane.Spec.NetworkPluginMode, "") == infrav1.NetworkPluginModeOverlay {
		network, subnet = "10.224.0.0/12", "10.224.0.0/16"
	}
	for field, fallback := range map[*string]string{
		&plane.Spec.VirtualNetwork.Name:             plane.Name,
		&plane.Spec.VirtualNetwork.CIDRBlock:        network,
		&plane.Spec.VirtualNetwork.ResourceGroup:    plane.Spec.ResourceGroupName,
		&plane.Spec.VirtualNetwork.Subnet.Name:      plane.Name,
		&plane.Spec.VirtualNetwork.Subnet.CIDRBlock: subnet,
	} {
		if *field == "" {
			*field = fallback
		}
	}
}

// newSSHPublicKey returns the public half of a key whose private half nobody keeps, as CAPZ does: nobody logs in to the
// nodes of a managed cluster.
func newSSHPublicKey() (string, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	public, err := ssh.NewPublicKey(&private.PublicKey)
	if err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(ssh.MarshalAuthorizedKey(public)), nil
}
