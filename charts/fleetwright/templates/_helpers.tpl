{{- define "fleetwright.fullname" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- end }}

{{- define "fleetwright.selector" -}}
app.kubernetes.io/name: fleetwright
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "fleetwright.labels" -}}
{{ include "fleetwright.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "fleetwright.serviceAccount" -}}
{{- default (include "fleetwright.fullname" .) .Values.serviceAccount.name -}}
{{- end }}

{{- define "fleetwright.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ default .Chart.AppVersion .Values.image.tag }}
{{- end -}}
{{- end }}

{{/*
Lets Go collect garbage in earnest before the container is killed for its memory. The kubelet can divide the limit but not multiply
it, so GOMEMLIMIT has as many megabytes as the limit has mebibytes, which is 95 % of it: 488 MiB of 512Mi. Nothing is set for a
container without a limit, or whose values set GOMEMLIMIT.
*/}}
{{- define "fleetwright.memoryLimit" -}}
{{- $own := false }}
{{- range .Values.env }}{{ if eq .name "GOMEMLIMIT" }}{{ $own = true }}{{ end }}{{ end }}
{{- if and (dig "limits" "memory" "" (default dict .Values.resources)) (not $own) -}}
- name: MEMORY_LIMIT_MEBIBYTES
  valueFrom:
    resourceFieldRef:
      resource: limits.memory
      divisor: 1Mi
- name: GOMEMLIMIT
  value: $(MEMORY_LIMIT_MEBIBYTES)000000
{{- end }}
{{- end }}
