package capz

import (
	"context"
	"fmt"

	"k8s.io/utils/ptr"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	clusterv1beta1 "sigs.k8s.io/cluster-api/api/core/v1beta1"

	"github.com/fleetwright/fleetwright/localstack/capz/armclient"
	"github.com/fleetwright/fleetwright/localstack/capz/desired"
	"github.com/fleetwright/fleetwright/localstack/capz/resource"
)

// putManagedCluster creates or updates the AKS cluster and takes from it what Kubernetes should know, after
// azure/services/managedclusters/managedclusters.go.
func (s *controlPlaneServices) putManagedCluster(ctx context.Context) error {
	describe := func(existing armclient.Body) (armclient.Body, error) {
		body, err := desired.ManagedCluster(s.plane, s.cluster, s.pools, existing)
		if err != nil {
			return nil, fmt.Errorf("failed to get desired parameters for resource %s/%s (service: managedcluster): %w", s.plane.Namespace, s.plane.Name, err)
		}
		return body, nil
	}
	managed, err := s.keeper.Ensure(ctx, s.azure, resource.Spec{
		ID: desired.ManagedClusterID(s.plane), APIVersion: desired.ContainerServiceVersion, Desired: describe,
	})
	if err != nil {
		return err
	}
	s.plane.Spec.ControlPlaneEndpoint = endpoint(managed)
	s.plane.Status.OIDCIssuerProfile = nil
	if issuer := managed.String("properties", "oidcIssuerProfile", "issuerURL"); issuer != "" {
		s.plane.Status.OIDCIssuerProfile = &infrav1.OIDCIssuerProfileStatus{IssuerURL: &issuer}
	}
	if version := managed.String("properties", "currentKubernetesVersion"); version != "" {
		s.plane.Status.Version = "v" + version
		if upgradesItself(s.plane) {
			s.plane.Status.AutoUpgradeVersion = "v" + version
		}
	}
	return s.putKubeconfig(ctx)
}

func (s *controlPlaneServices) removeManagedCluster(ctx context.Context) error {
	return s.keeper.Remove(ctx, s.azure, desired.ManagedClusterID(s.plane), desired.ContainerServiceVersion)
}

// endpoint is where the API server says it is. The port is always 443, whatever it really listens on: with CAPZ too, only
// the kubeconfig is used to connect.
func endpoint(managed armclient.Body) clusterv1beta1.APIEndpoint {
	host := managed.String("properties", "fqdn")
	if managed.Bool("properties", "apiServerAccessProfile", "enablePrivateCluster") &&
		!managed.Bool("properties", "apiServerAccessProfile", "enablePrivateClusterPublicFQDN") {
		host = managed.String("properties", "privateFQDN")
	}
	return clusterv1beta1.APIEndpoint{Host: host, Port: 443}
}

// upgradesItself says whether AKS raises the version by itself, see isManagedVersionUpgrade in
// azure/scope/managedcontrolplane.go.
func upgradesItself(plane *infrav1.AzureManagedControlPlane) bool {
	if plane.Spec.AutoUpgradeProfile == nil || plane.Spec.AutoUpgradeProfile.UpgradeChannel == nil {
		return false
	}
	channel := ptr.Deref(plane.Spec.AutoUpgradeProfile.UpgradeChannel, infrav1.UpgradeChannelNone)
	return channel != infrav1.UpgradeChannelNone && channel != infrav1.UpgradeChannelNodeImage
}
