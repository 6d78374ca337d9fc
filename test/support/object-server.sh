#!/usr/bin/env bash
# A real S3 server in DIR: one Ceph monitor, one OSD in memory and a RADOS Gateway, without systemd, manager or cephx.
# With STS (true or false) it gives out temporary credentials, and no longer tells a wrong secret from a missing right.
# Debian packages: radosgw ceph-mon ceph-osd ceph-common. The process ids are left in DIR/run/*.pid.
set -euo pipefail
D=${1:?} MONPORT=${2:?} HTTP=${3:?} HTTPS=${4:?} REGION=${5:?} AK=${6:?} SK=${7:?} STS=${8:?}
mkdir -p "$D"/{mon,osd,run,rgw,log}
FSID=$(cat /proc/sys/kernel/random/uuid) OSDID=$(cat /proc/sys/kernel/random/uuid)
openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
  -keyout "$D/rgw.key" -out "$D/rgw.crt" 2>/dev/null
# Without `paxos propose interval` the start takes 16 s instead of 2; without `ms mon client mode = crc` the gateway
# hangs for 300 s.
cat > "$D/ceph.conf" <<C
[global]
fsid = $FSID
mon host = v2:127.0.0.1:$MONPORT/0
ms bind msgr1 = false
ms mon client mode = crc
auth cluster required = none
auth service required = none
auth client required = none
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
run dir = $D/run
admin socket = $D/run/\$name.asok
pid file = $D/run/\$name.pid
log file = $D/log/\$name.log
mon cluster log file = $D/log/cluster.log
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 1000
paxos propose interval = 0.02
paxos min wait = 0.01
mon data avail crit = 1
mon data avail warn = 2
[mon.a]
mon data = $D/mon
[osd.0]
osd data = $D/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd memory target = 1073741824
[client.rgw]
rgw data = $D/rgw
rgw frontends = beast endpoint=127.0.0.1:$HTTP ssl_endpoint=127.0.0.1:$HTTPS ssl_certificate=$D/rgw.crt ssl_private_key=$D/rgw.key tcp_nodelay=1
rgw dns name = localhost
rgw thread pool size = 64
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = testkey-1=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
rgw sts key = abcdefghijklmnop
rgw s3 auth use sts = $STS
rgw sts min session duration = 1
C
C=(-c "$D/ceph.conf")
monmaptool --create --fsid "$FSID" --addv a "[v2:127.0.0.1:$MONPORT]" "$D/monmap" >/dev/null
ceph-mon "${C[@]}" --mkfs -i a --monmap "$D/monmap"
ceph-mon "${C[@]}" -i a
timeout 30 ceph "${C[@]}" osd new "$OSDID" >/dev/null
ceph-osd "${C[@]}" -i 0 --mkfs --osd-uuid "$OSDID" >/dev/null 2>"$D/log/mkfs.err"
ceph-osd "${C[@]}" -i 0 >/dev/null 2>&1
timeout 60 radosgw-admin "${C[@]}" user create --uid=tests --display-name=tests --access-key="$AK" --secret-key="$SK" \
  >"$D/user.json" 2>/dev/null
# The first user makes the default zone group; its api_name is the region that GetBucketLocation answers.
radosgw-admin "${C[@]}" zonegroup get | sed "s/\"api_name\": \".*\"/\"api_name\": \"$REGION\"/" > "$D/zonegroup.json"
radosgw-admin "${C[@]}" zonegroup set < "$D/zonegroup.json" >/dev/null
timeout 30 radosgw "${C[@]}" -n client.rgw
for _ in $(seq 300); do
  if curl -s -o /dev/null "http://127.0.0.1:$HTTP/"; then exit 0; fi
  sleep 0.1
done
echo "the gateway does not answer; see $D/log" >&2
exit 1
