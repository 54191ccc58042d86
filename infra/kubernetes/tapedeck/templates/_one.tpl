{{/*
One of ours, whatever it is: a StatefulSet of one pod, with what it keeps, its service and its budget.
Not more than one pod: a store and an outbox have one holder, and a StatefulSet never has two pods of one name.

of (root, kind, name, given, args, live, ready; may have prepare, secrets, env, code,
and kept: what else it has to start again for)
*/}}
{{- define "tapedeck.one" -}}
{{- $values := .root.Values -}}
{{- $name := include "tapedeck.name" . -}}
{{- $set := mergeOverwrite (deepCopy $values.defaults) (deepCopy .given) -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ $name }}
  labels: {{- include "tapedeck.labels" . | nindent 4 }}
spec:
  replicas: 1
  serviceName: {{ $name }}
  podManagementPolicy: Parallel
  revisionHistoryLimit: 3
  selector:
    matchLabels: {{- include "tapedeck.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "tapedeck.selector" . | nindent 8 }}
      annotations:
        tapedeck/settings: {{ list $values.settings $values.secret.values .code .kept | toJson | sha256sum }}
        {{- with $set.annotations }}{{ toYaml . | nindent 8 }}{{ end }}
    spec:
      terminationGracePeriodSeconds: {{ $set.gracePeriodSeconds }}
      automountServiceAccountToken: false
      # Else a service called kafka would give every pod variables that look like ours.
      enableServiceLinks: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 10001
        runAsGroup: 10001
        fsGroup: 10001
        # Once, and not at each start: a store that is open to its group is refused.
        fsGroupChangePolicy: OnRootMismatch
        seccompProfile: {type: RuntimeDefault}
      {{- with $values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .prepare }}
      initContainers:
        - name: prepare
          args: {{ toJson . }}
          {{- include "tapedeck.container" (dict "of" $ "set" $set) | nindent 10 }}
      {{- end }}
      containers:
        - name: {{ .kind }}
          args: {{ toJson .args }}
          {{- include "tapedeck.container" (dict "of" $ "set" $set) | nindent 10 }}
          ports:
            - {name: metrics, containerPort: 9464}
          startupProbe:
            exec: {command: {{ toJson .live }}}
            periodSeconds: 2
            timeoutSeconds: 10
            failureThreshold: 60
          livenessProbe:
            exec: {command: {{ toJson .live }}}
            periodSeconds: 30
            timeoutSeconds: 10
            failureThreshold: 4
          readinessProbe:
            exec: {command: {{ toJson .ready }}}
            periodSeconds: 10
            timeoutSeconds: 10
      volumes:
        - name: tmp
          emptyDir: {sizeLimit: 256Mi}
        {{- with $values.kafkaFiles.existing }}
        - name: kafka-files
          secret: {secretName: {{ . }}, defaultMode: 0440}
        {{- end }}
        {{- if .code }}
        - name: flow
          configMap: {name: {{ $name }}}
        {{- end }}
      {{- with $set.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $set.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $set.affinity }}
      affinity: {{- toYaml . | nindent 8 }}
      {{- end }}
  volumeClaimTemplates:
    - metadata:
        name: data
        labels: {{- include "tapedeck.selector" . | nindent 10 }}
      spec:
        accessModes: [{{ $set.storage.accessMode }}]
        {{- with $set.storage.className }}
        storageClassName: {{ . }}
        {{- end }}
        resources: {requests: {storage: {{ $set.storage.size }}}}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ $name }}
  labels: {{- include "tapedeck.labels" . | nindent 4 }}
spec:
  clusterIP: None
  selector: {{- include "tapedeck.selector" . | nindent 4 }}
  ports:
    - {name: metrics, port: 9464}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  labels: {{- include "tapedeck.labels" . | nindent 4 }}
spec:
  # There is one pod: a budget can only say yes or no.
  maxUnavailable: {{ if $set.mayMove }}1{{ else }}0{{ end }}
  selector:
    matchLabels: {{- include "tapedeck.selector" . | nindent 6 }}
{{- end }}

{{- define "tapedeck.container" -}}
{{- $values := .of.root.Values -}}
image: {{ $values.image.repository }}:{{ $values.image.tag | default .of.root.Chart.AppVersion }}
imagePullPolicy: {{ $values.image.pullPolicy }}
envFrom:
  - configMapRef: {name: {{ .of.root.Release.Name }}-settings}
  - secretRef: {name: {{ include "tapedeck.secret" .of.root }}}
  {{- range .of.secrets }}
  - secretRef: {name: {{ . }}}
  {{- end }}
{{- with .of.env }}
env: {{- . | nindent 2 }}
{{- end }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
resources: {{- toYaml .set.resources | nindent 2 }}
volumeMounts:
  - {name: data, mountPath: /data}
  - {name: tmp, mountPath: /tmp}
  {{- if $values.kafkaFiles.existing }}
  - {name: kafka-files, mountPath: /etc/tapedeck/kafka, readOnly: true}
  {{- end }}
  {{- if .of.code }}
  - {name: flow, mountPath: /flows, readOnly: true}
  {{- end }}
{{- end }}
