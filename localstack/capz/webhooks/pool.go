package webhooks

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	kerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	infrav1 "sigs.k8s.io/cluster-api-provider-azure/api/v1beta1"
	webhookutils "sigs.k8s.io/cluster-api-provider-azure/util/webhook"
	clusterv1 "sigs.k8s.io/cluster-api/api/core/v1beta2"
	clusterctlv1 "sigs.k8s.io/cluster-api/cmd/clusterctl/api/v1alpha3"
)

// poolWebhook follows internal/webhooks/azuremanagedmachinepool_webhook.go.
type poolWebhook struct{ client client.Client }

var (
	_ admission.Defaulter[*infrav1.AzureManagedMachinePool] = &poolWebhook{}
	_ admission.Validator[*infrav1.AzureManagedMachinePool] = &poolWebhook{}
)

// Default implements admission.Defaulter.
func (*poolWebhook) Default(_ context.Context, pool *infrav1.AzureManagedMachinePool) error {
	if pool.Labels == nil {
		pool.Labels = map[string]string{}
	}
	pool.Labels[infrav1.LabelAgentPoolMode] = pool.Spec.Mode
	if ptr.Deref(pool.Spec.Name, "") == "" {
		pool.Spec.Name = ptr.To(pool.Name)
	}
	if pool.Spec.OSType == nil {
		pool.Spec.OSType = ptr.To(infrav1.DefaultOSType)
	}
	return nil
}

// ValidateCreate implements admission.Validator.
func (*poolWebhook) ValidateCreate(_ context.Context, pool *infrav1.AzureManagedMachinePool) (admission.Warnings, error) {
	spec := field.NewPath("spec")
	return nil, kerrors.NewAggregate([]error{
		asError(validateMaxPods(pool.Spec.MaxPods, spec.Child("maxPods"))),
		asError(validateOSType(pool.Spec.Mode, pool.Spec.OSType, spec.Child("osType"))),
		asError(validatePoolName(pool, spec.Child("name"))),
		asError(validateNodeLabels(pool.Spec.NodeLabels, spec.Child("nodeLabels"))),
		asError(validatePublicIP(pool, spec)),
		asError(validateSubnetName(pool.Spec.SubnetName, spec.Child("subnetName"))),
	})
}

// ValidateUpdate implements admission.Validator.
func (w *poolWebhook) ValidateUpdate(ctx context.Context, old, pool *infrav1.AzureManagedMachinePool) (admission.Warnings, error) {
	spec := field.NewPath("spec")
	var refused field.ErrorList
	if err := validateNodeLabels(pool.Spec.NodeLabels, spec.Child("nodeLabels")); err != nil {
		refused = append(refused, field.Invalid(spec.Child("nodeLabels"), pool.Spec.NodeLabels, err.Error()))
	}
	for _, each := range immutablePoolFields(old, pool) {
		err := webhookutils.ValidateImmutable(spec.Child(each.name), each.old, each.new)
		if err != nil && !(each.settable && reflect.ValueOf(each.old).IsZero()) {
			refused = append(refused, err)
		}
	}
	if !webhookutils.EnsureStringSlicesAreEquivalent(pool.Spec.AvailabilityZones, old.Spec.AvailabilityZones) {
		refused = append(refused, field.Invalid(spec.Child("availabilityZones"), pool.Spec.AvailabilityZones, "field is immutable"))
	}
	if pool.Spec.Mode != string(infrav1.NodePoolModeSystem) && old.Spec.Mode == string(infrav1.NodePoolModeSystem) {
		if err := w.validateLastSystemPool(ctx, pool); err != nil {
			refused = append(refused, field.Forbidden(spec.Child("mode"),
				"Cannot change node pool mode to User, you must have at least one System node pool in your cluster"))
		}
	}
	if len(refused) == 0 {
		return nil, nil
	}
	kind := infrav1.GroupVersion.WithKind(infrav1.AzureManagedMachinePoolKind).GroupKind()
	return nil, apierrors.NewInvalid(kind, pool.Name, refused)
}

// ValidateDelete implements admission.Validator.
func (w *poolWebhook) ValidateDelete(ctx context.Context, pool *infrav1.AzureManagedMachinePool) (admission.Warnings, error) {
	if pool.Spec.Mode != string(infrav1.NodePoolModeSystem) {
		return nil, nil
	}
	if err := w.validateLastSystemPool(ctx, pool); err != nil {
		return nil, fmt.Errorf("if the delete is triggered via owner MachinePool please refer to trouble shooting section in https://capz.sigs.k8s.io/topics/managedcluster.html: %w", err)
	}
	return nil, nil
}

// validateLastSystemPool follows validateLastSystemNodePool: a cluster that stays needs a System pool.
func (w *poolWebhook) validateLastSystemPool(ctx context.Context, pool *infrav1.AzureManagedMachinePool) error {
	name, found := pool.Labels[clusterv1.ClusterNameLabel]
	if !found {
		return nil
	}
	cluster := &clusterv1.Cluster{}
	if err := w.client.Get(ctx, client.ObjectKey{Namespace: pool.Namespace, Name: name}, cluster); err != nil {
		return err
	}
	if !cluster.DeletionTimestamp.IsZero() {
		return nil
	}
	if _, moving := pool.Annotations[clusterctlv1.DeleteForMoveAnnotation]; moving {
		return nil
	}
	system := &infrav1.AzureManagedMachinePoolList{}
	err := w.client.List(ctx, system, client.InNamespace(pool.Namespace), client.MatchingLabels{
		clusterv1.ClusterNameLabel: name,
		infrav1.LabelAgentPoolMode: string(infrav1.NodePoolModeSystem),
	})
	if err != nil {
		return err
	}
	if len(system.Items) <= 1 {
		return errors.New("AKS Cluster must have at least one system pool")
	}
	return nil
}

// immutableField is a field that cannot be changed. settable: it may be set once where it was empty.
type immutableField struct {
	name     string
	old, new any
	settable bool
}

func immutablePoolFields(old, pool *infrav1.AzureManagedMachinePool) []immutableField {
	was, is := old.Spec, pool.Spec
	return []immutableField{
		{"name", was.Name, is.Name, false},
		{"osType", was.OSType, is.OSType, false},
		{"sku", was.SKU, is.SKU, false},
		{"osDiskSizeGB", was.OSDiskSizeGB, is.OSDiskSizeGB, false},
		{"subnetName", was.SubnetName, is.SubnetName, true},
		{"enableFIPS", was.EnableFIPS, is.EnableFIPS, true},
		{"enableEncryptionAtHost", was.EnableEncryptionAtHost, is.EnableEncryptionAtHost, true},
		{"maxPods", was.MaxPods, is.MaxPods, false},
		{"osDiskType", was.OsDiskType, is.OsDiskType, false},
		{"scaleSetPriority", was.ScaleSetPriority, is.ScaleSetPriority, false},
		{"enableUltraSSD", was.EnableUltraSSD, is.EnableUltraSSD, false},
		{"enableNodePublicIP", was.EnableNodePublicIP, is.EnableNodePublicIP, false},
		{"nodePublicIPPrefixID", was.NodePublicIPPrefixID, is.NodePublicIPPrefixID, false},
		{"kubeletConfig", was.KubeletConfig, is.KubeletConfig, false},
		{"kubeletDiskType", was.KubeletDiskType, is.KubeletDiskType, false},
		{"linuxOSConfig", was.LinuxOSConfig, is.LinuxOSConfig, false},
	}
}

// asError avoids a nil *field.Error inside a non-nil error.
func asError(err *field.Error) error {
	if err == nil {
		return nil
	}
	return err
}
