#!/usr/bin/env python3
"""Writes a seed or two for each fuzz target to tests/fuzz/corpus: inputs as they are in real use.

Usage: tests/fuzz/make_seeds.py HAPAXCTL     (a built hapaxctl, whose journal is the seed of target journal)
"""

import hashlib
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile

FUZZ = pathlib.Path(__file__).resolve().parent
ROOT = FUZZ.parent.parent
TOKEN = 'client_token: "550e8400-e29b-41d4-a716-446655440000" '


def encode(message, text):
    """The bytes of a message that is given as text."""
    proto = 'hapax/store/v1/token.proto' if '.store.' in message else 'hapax/compute/v1/compute.proto'
    if '.idempotency.' in message:
        proto = 'hapax/idempotency/v1/tokens.proto'
    if '.longrunning.' in message:
        proto = 'google/longrunning/operations.proto'
    if message.startswith('yandex.'):
        proto = 'yandex/cloud/compute/v1/instance_service.proto'
    command = ['protoc', '-I', str(ROOT / 'proto'), '--encode=' + message, proto]
    return subprocess.run(command, input=text.encode(), stdout=subprocess.PIPE, check=True, cwd=ROOT / 'proto').stdout


def short(data):
    return bytes([len(data)]) + data


def long(data):
    return len(data).to_bytes(2, 'big') + data


def write(target, name, data):
    directory = FUZZ / 'corpus' / target
    directory.mkdir(parents=True, exist_ok=True)
    (directory / ('seed-' + name)).write_bytes(data)


# In the order of FuzzServer::methods().
METHODS = ('RunInstances AllocateHosts ReleaseHosts CreateKeypair DeleteKeypair TerminateInstances StartInstance '
           'StopInstance DescribeInstances DescribeHosts DescribeKeypairs DescribeSubnets DescribeAvailabilityZones '
           'GetOperation ListOperations WaitOperation GetToken ListTokens AbandonToken GetPolicy').split()
# Flags of a call (chain_input.h).
FINISH, FINISH_BETWEEN, HOURS_25, DAYS_40 = 8, 16, 64, 96


def call(method, text, header_token=None, flags=0):
    number = METHODS.index(method)
    package = 'hapax.compute.v1'
    if number >= METHODS.index('GetToken'):
        package = 'hapax.idempotency.v1'
    elif 'Operation' in method:
        package = 'google.longrunning'
    header = b'' if header_token is None else short(header_token)
    flags |= 0 if header_token is None else 1
    return bytes([number, flags]) + header + long(encode(f'{package}.{method}Request', text))


def nth(prefix, n):
    """The n-th id of that prefix that the server gives."""
    return f'{prefix}-{n:017x}'


def chain():
    launch = TOKEN + 'image_id: "ami-1" max_count: 2 tags { key: "a" value: "b" } tags { key: "c" value: "d" } '
    one, two = nth('i', 1), nth('i', 2)
    write('chain', 'launch', call('RunInstances', launch) +
          call('RunInstances', launch + 'min_count: 1') +
          call('RunInstances', launch + 'placement { availability_zone: "us-east-1b" tenancy: "default" }') +
          call('TerminateInstances', f'instance_ids: "{one}"', b'another-token') +
          call('DescribeInstances', 'page_size: 1 filters { name: "tag:a" values: "b" }') +
          call('DescribeInstances', 'page_size: 1 page_token: "next" filters { name: "tag:a" values: "b" }'))
    host = nth('h', 1)
    write('chain', 'hosts', call('AllocateHosts', TOKEN + 'availability_zone: "us-east-1a" instance_type: "m5.large"') +
          call('RunInstances', f'image_id: "ami-1" subnet_id: "subnet-a" placement {{ host_id: "{host}" }}', b't') +
          call('DescribeHosts', f'host_ids: "{host}"') +
          call('TerminateInstances', f'instance_ids: "{one}"', flags=FINISH) +
          call('ReleaseHosts', f'host_ids: "{host}"', b'release', flags=FINISH))
    write('chain', 'keys', call('CreateKeypair', TOKEN + 'key_name: "key" key_type: KEY_TYPE_ED25519') +
          call('DescribeKeypairs', 'key_names: "key"') +
          call('RunInstances', 'image_id: "ami-1" key_name: "key" region: "us-east-1"', b'with-key') +
          call('DeleteKeypair', 'key_name: "key"', b'delete'))
    operation = 'operations/' + nth('op', 1)
    write('chain', 'power', call('RunInstances', launch) +
          call('StopInstance', f'instance_id: "{one}"', b'stop', flags=FINISH) +
          call('WaitOperation', f'name: "{operation}" timeout {{ seconds: 30 }}') +
          call('StartInstance', f'instance_id: "{one}"', b'start', flags=FINISH | FINISH_BETWEEN) +
          call('StopInstance', f'instance_id: "{one}"', b'stop') +
          call('GetOperation', f'name: "{operation}"') + call('ListOperations', 'filter: "done = true" page_size: 1'))
    write('chain', 'power-terminated', call('RunInstances', launch) +
          call('StopInstance', f'instance_id: "{two}"', b'stop', flags=FINISH) +
          call('TerminateInstances', f'instance_ids: "{two}"') +
          call('StopInstance', f'instance_id: "{two}"', b'stop', flags=FINISH) +
          call('StartInstance', f'instance_id: "{two}"', b'start') +
          call('DescribeSubnets', 'region: "eu-west-1"') + call('DescribeAvailabilityZones', 'page_size: 2'))
    write('chain', 'tokens', call('RunInstances', launch) +
          call('GetToken', TOKEN) + call('ListTokens', 'page_size: 5') + call('AbandonToken', 'client_token: "other"') +
          call('RunInstances', 'client_token: "other" image_id: "ami-1"'))
    write('chain', 'expiry', call('RunInstances', launch) +
          call('RunInstances', launch, flags=HOURS_25) + call('GetToken', TOKEN) +
          call('RunInstances', launch, flags=DAYS_40) + call('ListTokens', 'client_token: "other"'))
    # Zone a has room for six instances, and addresses for eleven: the last are used again.
    six = 'image_id: "ami-1" subnet_id: "subnet-a" min_count: 6'
    first, second = (''.join(f'instance_ids: "{nth("i", n)}" ' for n in ids) for ids in (range(1, 7), range(7, 13)))
    write('chain', 'addresses', call('RunInstances', six) + call('TerminateInstances', first) +
          call('RunInstances', six, b'again', FINISH) + call('TerminateInstances', second, b'end') +
          call('RunInstances', six, b'and-again', FINISH))


def fingerprint():
    # Pieces: how, number - 1, content.
    both, left, right = 0, 2, 1

    def text(who, field, data):
        return bytes([who | 2 << 3, field - 1]) + short(data)

    def number(who, field, value):
        return bytes([who, field - 1, value])

    def entry(entry_key, value):
        return b'\x0a' + short(entry_key) + b'\x12' + short(value)

    write('fingerprint', 'launch', bytes([0, 0]) + text(left, 1, b'one') + text(right, 1, b'other') +
          text(both, 3, b'ami-b232d0db') + number(left, 5, 1) + number(right, 6, 1) +
          text(left, 9, b'\x12\x07default') + text(both, 10, entry(b'a', b'b')) + text(both, 10, entry(b'c', b'd')))
    write('fingerprint', 'unknown', bytes([0, 7]) + text(both, 3, b'ami-1') + number(both, 15, 3) + number(right, 14, 3))
    write('fingerprint', 'hosts', bytes([1, 15]) + text(both, 3, b'us-east-1a') + number(right, 5, 1) + text(left, 6, b'off'))


def key():
    write('key', 'token', bytes([3]) + short(b'tenant') + short(b'tenant') + short(b'us-east-1') + short(b'us-east-1') +
          short(b'') + short(b'us-east-1a') + short(b'token-1') + short(b'token-2') + b'tenant\0\1region\0\1\0\1token\0\1')
    write('key', 'number', bytes([2 | 1 << 3]) + short(b'a\0b') + short(b'a') + (7).to_bytes(8, 'big') +
          (256).to_bytes(8, 'big') + b'a\0\xffb\0\1')


def row():
    names = b''.join(map(short, (b'tenant', b'us-east-1', b'us-east-1a', b'550e8400-e29b-41d4-a716-446655440000')))
    executed = encode('hapax.store.v1.TokenRecord', '''
        method: "hapax.compute.v1.Compute/RunInstances" reply: "reply" executed_at { seconds: 1700000000 nanos: 1 }
        expires_at { seconds: 1700086400 } forget_at { seconds: 1702678400 }
        fingerprint { version: 1 exact: "0123456789abcdef" fields { number: 3 digest: 7 } }''')
    sealed = encode('hapax.store.v1.TokenRecord', '''
        method: "hapax.compute.v1.Compute/CreateKeypair" executed_at { seconds: 1700000000 }
        sealed_reply { key_id: "key-1" nonce: "123456789012" ciphertext: "0123456789abcdef0123" }''')
    abandoned = encode('hapax.store.v1.TokenRecord', 'abandoned_at { seconds: 1700000000 }')
    for name, record in (('executed', executed), ('sealed', sealed), ('abandoned', abandoned)):
        write('row', name, names + long(record) + b'\0\7\0\0\7\1\2\3\4')


def files():
    salt, key = '0123456789abcdef', 'hapax_id-1_secret'
    line = f'acme write id-1 {salt}:{hashlib.sha256((salt + key).encode()).hexdigest()}\n'
    write('api_keys', 'two', short(b'hapax_none_key') + f'# Keys.\n{line}\nother-team\tread\tid-2\t{salt}:{"0f" * 32}\n'.encode())
    write('api_keys', 'known', short(key.encode()) + line.encode())
    write('seal_keys', 'two', f'# Keys.\nkey-2 {"ab" * 32}\n\nkey-1\t{"01" * 32}\n'.encode())
    source = (ROOT / 'server/compute/catalog/builtin_catalog.cc').read_text()
    write('catalog', 'builtin', re.search(r'R"\w*\((.*?)\)\w*"', source, re.S).group(1).encode())
    write('catalog', 'small', b'''regions { name: "r" zones { name: "z" vcpus: 1
  subnets { id: "subnet-a" cidr_block: "10.0.0.0/28" } subnets { id: "subnet-b" cidr_block: "10.0.0.16/28" } } }
image_ids: "ami-1" instance_types { name: "t" vcpus: 2 instances_per_host: 3 } default_instance_type: "t"
quota { instances: 12 hosts: 3 } image_key_names: "k"
''')


def openstack_request(method, path, *answers, query=b'', token=b'team', body=b'', flags=12):
    """A request (openstack_door_fuzz.cc), and the answers of its calls: a reply's message and text, or a reason by its
    number."""
    number = ('GET', 'POST', 'DELETE', 'PUT').index(method)
    data = bytes([number | flags]) + short(path) + short(query) + short(token) + long(body)
    for answer in answers:
        data += bytes([answer]) if isinstance(answer, int) else bytes([66]) + long(encode(*answer))
    return data


def openstack_door():
    v1 = 'hapax.compute.v1.'
    known = (v1 + 'DescribeSubnetsResponse', '')
    instance = (v1 + 'DescribeInstancesResponse',
                'instances { instance_id: "i-1" region: "us-east-1" image_id: "ami-1" state: INSTANCE_STATE_RUNNING '
                'subnet_id: "subnet-a" private_ip_address: "10.0.0.4" launch_time { seconds: 1 } '
                'tags { key: "Name" value: "web" } tags { key: "k" value: "\\"" } } ')
    done = ('google.longrunning.Operation', '')
    pair = 'key_pairs { key_pair_id: "key-0123456789abcdef0" key_name: "k" create_time { seconds: 1 } }'
    launch = (b'{"server": {"name": "web", "imageRef": "ami-b232d0db", "flavorRef": "m5.large", "min_count": 1, '
              b'"max_count": "2", "availability_zone": "us-east-1a", "metadata": {"k": "v"}, "networks": [{"uuid": "s"}], '
              b'"security_groups": [{"name": "default"}], "config_drive": false}, '
              b'"os:scheduler_hints": {"x-client-token": "T"}}')
    login = (b'{"auth": {"identity": {"methods": ["password"], "password": {"user": {"name": "a", "password": "hapax_i_s", '
             b'"domain": {"id": "default"}}}}, "scope": {"project": {"name": "team", "domain": {"id": "default"}}}}}')
    credential = b'{"auth": {"identity": {"application_credential": {"id": "team", "secret": "s"}}, "scope": "unscoped"}}'
    for name, *request in (
            ('login', 'POST', b'v3/auth/tokens', known),
            ('create', 'POST', b'v2.1/servers', (v1 + 'RunInstancesResponse', 'instances { instance_id: "i-1" }')),
            ('show', 'GET', b'v2.1/servers/i-1', instance),
            ('absent', 'GET', b'v2.1/servers/web', known),
            ('delete', 'DELETE', b'regions/us-east-1/v2.1/servers/i-1', instance,
             (v1 + 'TerminateInstancesResponse', '')),
            ('flavors', 'GET', b'v2.1/flavors/detail', known),
            ('image', 'GET', b'image/v2/images/ami-b232d0db', known),
            ('zones', 'GET', b'v2.1/os-availability-zone/detail',
             (v1 + 'DescribeAvailabilityZonesResponse', 'availability_zones { zone_name: "z" } next_page_token: "n"'),
             (v1 + 'DescribeAvailabilityZonesResponse', '')),
            ('keys', 'GET', b'v2.1/os-keypairs', (v1 + 'DescribeKeypairsResponse', pair)),
            ('key', 'GET', b'v2.1/os-keypairs/k', (v1 + 'DescribeKeypairsResponse', pair)),
            ('delete-key', 'DELETE', b'v2.1/os-keypairs/k', 15)):
        body = {'login': login, 'create': launch}.get(name, b'')
        write('openstack_door', name, openstack_request(*request, body=body))
    write('openstack_door', 'credential', openstack_request('POST', b'v3/auth/tokens', known, body=credential, flags=20))
    write('openstack_door', 'stop', openstack_request(
        'POST', b'v2.1/servers/i-1/action', instance, done, body=b'{"os-stop": null}'))
    write('openstack_door', 'list', openstack_request(
        'GET', b'v2.1/servers/detail', instance, query=b'name=%5Eweb%24&status=ACTIVE&limit=1&marker=i-0&deleted=False'))
    write('openstack_door', 'create-key', openstack_request(
        'POST', b'v2.1/os-keypairs', (v1 + 'CreateKeypairResponse', 'key_material: "-----BEGIN RSA PRIVATE KEY-----"'),
        body=b'{"keypair": {"name": "k", "type": "ssh"}}'))


def packed(message, text):
    """The text of a google.protobuf.Any."""
    value = ''.join(f'\\{byte:03o}' for byte in encode(message, text))
    return f'type_url: "type.googleapis.com/{message}" value: "{value}"'


def yandex_answers(answers):
    return b''.join(bytes([answer]) if isinstance(answer, int) else bytes([66]) + long(encode(*answer))
                    for answer in answers)


def yandex_door():
    v1, service = 'hapax.compute.v1.', 'yandex.cloud.compute.v1.'
    absent = 18  # A reason.
    text = ('instance_id: "i-1" region: "eu-west-1" instance_type: "m5.large" state: INSTANCE_STATE_RUNNING '
            'subnet_id: "s" private_ip_address: "10.0.0.4" launch_time { seconds: 1 } tags { key: "Name" value: "web" } '
            'tags { key: "k" value: "\\"" } ')
    instance = (v1 + 'DescribeInstancesResponse', f'instances {{ {text} }}')
    metadata = packed(v1 + 'InstanceOperationMetadata', 'instance_id: "i-1" method: "StartInstance"')
    started = ('google.longrunning.Operation', f'name: "operations/op-1" done: true metadata {{ {metadata} }} '
               f'response {{ {packed(v1 + "Instance", text)} }}')
    failed = ('google.longrunning.Operation', f'name: "operations/op-1" done: true metadata {{ {metadata} }} '
              'error { code: 13 message: "no" }')
    launched = (v1 + 'RunInstancesResponse', f'instances {{ {text} }}')
    terminating = (v1 + 'TerminateInstancesResponse',
                   'terminating_instances { instance_id: "i-1" current_state: INSTANCE_STATE_SHUTTING_DOWN }')
    create = (b'{"folderId": "default", "name": "web", "labels": {"a": "b"}, "zone_id": "us-east-1a", "platformId": '
              b'"m5.large", "resourcesSpec": {"cores": "2"}, "bootDiskSpec": {"mode": "READ_WRITE", "diskSpec": '
              b'{"imageId": "ami-b232d0db"}}, "networkInterfaceSpecs": [{"subnetId": "s"}], "placementPolicy": '
              b'{"hostAffinityRules": [{"key": "yc.hostId", "op": "IN", "values": ["h-1"]}]}}')
    filters = b'pageSize=2&orderBy=id&filter=name+IN+(%22a%22,+%22b%22)+AND+status%3D%22RUNNING%22'
    for name, method, path, query, body, *answers in (
            ('get', 0, b'compute/v1/instances/i-1', b'view=FULL', b'', instance),
            ('list', 0, b'compute/v1/instances', filters, b'', instance),
            ('create', 1, b'compute/v1/instances', b'', create, launched, instance),
            ('delete', 2, b'compute/v1/instances/i-1', b'', b'', absent, instance, terminating, absent),
            ('start', 1, b'compute/v1/instances/i-1:start', b'', b'{}', started),
            ('stop', 1, b'compute/v1/instances/i-1:stop', b'', b'', failed),
            ('operation', 0, b'operations/create-i-1', b'', b'', 19, instance)):
        write('yandex_door', name, bytes([method | 8]) + short(path) + short(query) + long(body) + yandex_answers(answers))
    # In the order of TranslatedMethods().
    for number, (request, fields, *answers) in enumerate((
            ('GetInstance', 'instance_id: "i-1"', instance),
            ('ListInstances', 'page_size: 2 filter: "host_id = \'h\'"', instance),
            ('CreateInstance', 'boot_disk_spec { disk_spec { image_id: "ami-b232d0db" } }', launched, absent),
            ('DeleteInstance', 'instance_id: "i-1"', terminating, instance),
            ('StartInstance', 'instance_id: "i-1"', absent, instance, started),
            ('StopInstance', 'instance_id: "i-1"', failed))):
        data = long(encode(f'{service}{request}Request', fields)) + yandex_answers(answers)
        write('yandex_door', 'grpc-' + request.lower(), bytes([4 | number << 3]) + data)


def ec2_request(form, *answers, query=b'', kind=0, **parts):
    """Query, headers and form of a request (ec2_door_fuzz.cc), and the answers of its calls: a reply's message and text,
    or a reason by its number."""
    data = short(query)
    for bit, name in enumerate(('authorization', 'token', 'prefix_token'), start=1):
        if name in parts:
            kind |= 1 << bit
            data += short(parts[name])
    data = bytes([kind]) + data + long(form)
    for answer in answers:
        data += bytes([answer]) + long(b'text') if isinstance(answer, int) else bytes([66]) + long(encode(*answer))
    return data


def ec2_door():
    v1 = 'hapax.compute.v1.'
    done = ('google.longrunning.Operation', '')
    absent, wrong_state = 16, 21  # Reasons.
    instance = ('instances { instance_id: "i-1" reservation_id: "r-1" image_id: "ami-1" state: INSTANCE_STATE_STOPPING '
                'launch_time { seconds: 1 } tags { key: "k" value: "<&>" } } ')
    tags = b'&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=b'
    for name, form, *answers in (
            ('run', b'Action=RunInstances&Version=2016-11-15&ImageId=ami-b232d0db&MinCount=1&MaxCount=2&ClientToken=T'
             b'&Placement.AvailabilityZone=us-east-1a' + tags, (v1 + 'RunInstancesResponse', instance)),
            ('run-refused', b'Action=RunInstances&ImageId=ami-1&Monitoring.Enabled=false', 2),
            ('run-dry', b'Action=RunInstances&ImageId=ami-1&DryRun=true', done),
            ('terminate', b'Action=TerminateInstances&InstanceId.1=i&InstanceId.2=j',
             (v1 + 'TerminateInstancesResponse', 'terminating_instances { instance_id: "i" }')),
            ('stop', b'Action=StopInstances&InstanceId.1=i&Force=false', done),
            ('start', b'Action=StartInstances&InstanceId.1=i&InstanceId.2=j', done, done, wrong_state,
             (v1 + 'DescribeInstancesResponse', 'instances { state: INSTANCE_STATE_PENDING }')),
            ('allocate', b'Action=AllocateHosts&AvailabilityZone=eu-west-1a&InstanceType=m5.large&Quantity=2',
             (v1 + 'AllocateHostsResponse', 'host_ids: "h-1" host_ids: "h-2"')),
            ('release', b'Action=ReleaseHosts&HostId.1=h', (v1 + 'ReleaseHostsResponse', 'host_ids: "h"')),
            ('release-refused', b'Action=ReleaseHosts&HostId.1=h', wrong_state),
            ('hosts', b'Action=DescribeHosts&Filter.1.Name=tag:a&Filter.1.Value.1=*',
             (v1 + 'DescribeHostsResponse', 'hosts { host_id: "h" } next_page_token: "n"')),
            ('create-key', b'Action=CreateKeyPair&KeyName=k&KeyType=ed25519&KeyFormat=pem',
             (v1 + 'CreateKeypairResponse', 'key_pair_id: "key-1" key_material: "-----\\n"')),
            ('delete-key', b'Action=DeleteKeyPair&KeyPairId=key-1',
             (v1 + 'DescribeKeypairsResponse', 'key_pairs { key_name: "k" }'), absent),
            ('keys', b'Action=DescribeKeyPairs&KeyPairId.1=key-1&IncludePublicKey=true',
             (v1 + 'DescribeKeypairsResponse', 'key_pairs { key_pair_id: "key-1" } next_page_token: "n"'), done),
            ('instances', b'Action=DescribeInstances&MaxResults=5&NextToken=x&InstanceId.1=i-1',
             (v1 + 'DescribeInstancesResponse', instance + instance + 'next_page_token: "n"')),
            ('subnets', b'Action=DescribeSubnets&Filter.1.Name=availability-zone&Filter.1.Value.1=us-*',
             (v1 + 'DescribeSubnetsResponse', 'subnets { availability_zone: "us-east-1a" }')),
            ('zones', b'Action=DescribeAvailabilityZones&AllAvailabilityZones=true',
             (v1 + 'DescribeAvailabilityZonesResponse', 'availability_zones { zone_name: "z" } next_page_token: "n"'), done),
            ('addresses', b'Action=DescribeAddresses', done),
            ('access-keys', b'master ' + b'0a' * 32 + b'\nteam-a write HAPAXKEY00000001\n')):
        write('ec2_door', name, ec2_request(form, *answers))
    write('ec2_door', 'tokens', ec2_request(b'Action=StopInstances&InstanceId.1=i', done, token=b'T', prefix_token=b'T'))
    scope = b'A/20261128/eu-west-1/ec2/aws4_request'
    write('ec2_door', 'signed', ec2_request(
        b'Action=DescribeInstances', done,
        authorization=b'AWS4-HMAC-SHA256 Credential=' + scope + b', SignedHeaders=host;x-amz-date, Signature=0'))
    write('ec2_door', 'presigned', ec2_request(
        b'', done, kind=16, query=b'Action=DescribeInstances&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=' + scope +
        b'&X-Amz-Date=20261128T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=0'))
    write('ec2_door', 'version-2', ec2_request(
        b'', done, kind=17, query=b'Action=DescribeInstances&SignatureVersion=2&SignatureMethod=HmacSHA256'
        b'&AWSAccessKeyId=A&Timestamp=2026-11-28T07%3A33%3A25Z&Signature=x&SecurityToken=k'))


def journal(hapaxctl):
    with tempfile.TemporaryDirectory() as directory:
        path = directory + '/journal'
        # Nobody listens there, so the call stays open.
        subprocess.run([hapaxctl, '--endpoint', '127.0.0.1:1', '--journal', path, '--timeout', '100ms', 'run-instances',
                        '--image-id', 'ami-1'], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        database = sqlite3.connect(path)
        assert database.execute('SELECT COUNT(*) FROM intents').fetchone()[0] == 1, 'the call is in the journal'
        # As it is, and in smaller pages, which leave a fuzzer less to guess.
        for size in (4096, 512):
            database.executescript(f'PRAGMA journal_mode = DELETE; PRAGMA page_size = {size}; VACUUM;')
            write('journal', f'pages-{size}', b'\0' + pathlib.Path(path).read_bytes())
        database.close()
    write('journal', 'log-empty', b'\1')
    write('journal', 'log-cut', b'\2\0\1\x10\0')
    write('journal', 'log-patched', b'\2\1\x08\0' + short(b'damage') + b'\0')
    write('journal', 'file-patched', b'\3\1\x20\0' + short(b'damage') + b'\0')


chain()
fingerprint()
key()
row()
files()
openstack_door()
yandex_door()
ec2_door()
journal(sys.argv[1])
