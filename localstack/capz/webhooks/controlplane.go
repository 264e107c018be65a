package webhooks

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	webhookutils "sigs.k8s.io/cluster-api-provider-azure/util/webhook"
)

// controlPlaneWebhook follows internal/webhooks/azuremanagedcontrolplane_webhook.go.
type controlPlaneWebhook struct{}

var (
	_ admission.Defaulter[*infrav1.AzureManagedControlPlane] = &controlPlaneWebhook{}
	_ admission.Validator[*infrav1.AzureManagedControlPlane] = &controlPlaneWebhook{}
)

// ValidateCreate implements admission.Validator.
func (*controlPlaneWebhook) ValidateCreate(_ context.Context, plane *infrav1.AzureManagedControlPlane) (admission.Warnings, error) {
	return nil, validateControlPlane(plane).ToAggregate()
}

// ValidateUpdate implements admission.Validator.
func (*controlPlaneWebhook) ValidateUpdate(_ context.Context, old, plane *infrav1.AzureManagedControlPlane) (admission.Warnings, error) {
	spec := field.NewPath("spec")
	var refused field.ErrorList
	for _, each := range immutableControlPlaneFields(old, plane) {
		if err := webhookutils.ValidateImmutable(spec.Child(each.name), each.old, each.new); err != nil {
			refused = append(refused, err)
		}
	}
	refused = append(refused, validateNetworkUpdate(old, plane, spec.Child("virtualNetwork"))...)
	refused = append(refused, validateVersionUpdate(old, plane, spec.Child("version"))...)
	refused = append(refused, validateAADUpdate(old, plane, spec)...)
	refused = append(refused, validateProfilesUpdate(old, plane, spec)...)
	if len(refused) == 0 {
		return nil, validateControlPlane(plane).ToAggregate()
	}
	kind := infrav1.GroupVersion.WithKind(infrav1.AzureManagedControlPlaneKind).GroupKind()
	return nil, apierrors.NewInvalid(kind, plane.Name, refused)
}

// ValidateDelete implements admission.Validator. Deleting is always allowed.
func (*controlPlaneWebhook) ValidateDelete(context.Context, *infrav1.AzureManagedControlPlane) (admission.Warnings, error) {
	return nil, nil
}

func immutableControlPlaneFields(old, plane *infrav1.AzureManagedControlPlane) []immutableField {
	was, is := old.Spec, plane.Spec
	fields := []immutableField{
		{"subscriptionID", was.SubscriptionID, is.SubscriptionID, false},
		{"resourceGroupName", was.ResourceGroupName, is.ResourceGroupName, false},
		{"nodeResourceGroupName", was.NodeResourceGroupName, is.NodeResourceGroupName, false},
		{"location", was.Location, is.Location, false},
		{"sshPublicKey", was.SSHPublicKey, is.SSHPublicKey, false},
		{"dnsServiceIP", was.DNSServiceIP, is.DNSServiceIP, false},
		{"networkPlugin", was.NetworkPlugin, is.NetworkPlugin, false},
		{"networkPolicy", was.NetworkPolicy, is.NetworkPolicy, false},
		{"networkDataplane", was.NetworkDataplane, is.NetworkDataplane, false},
		{"loadBalancerSKU", was.LoadBalancerSKU, is.LoadBalancerSKU, false},
		{"httpProxyConfig", was.HTTPProxyConfig, is.HTTPProxyConfig, false},
		{"azureEnvironment", was.AzureEnvironment, is.AzureEnvironment, false},
		{"outboundType", was.OutboundType, is.OutboundType, false},
	}
	if is.DNSPrefix != nil {
		before := was.DNSPrefix
		if before == nil {
			before = ptr.To(old.Name)
		}
		fields = append(fields, immutableField{"dnsPrefix", before, is.DNSPrefix, false})
	}
	return fields
}
