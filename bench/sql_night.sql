-- The night inside the database alone: what the naive night makes, as CSV on standard output.
-- It does less: no stop by request or by shared address, a keyed SHA-256 where the pipeline has HMAC, no SHA-1 (the
-- database has none without an extension), CSV instead of Parquet, no gzip, no protection of the tables, no checks.
-- Run with psql -v day=YYYY-MM-DD.
\set ON_ERROR_STOP on
\set QUIET on
set jit = off;
set work_mem = '256MB';
set timezone = 'Asia/Tokyo';

create temporary table person as
with family as (select member_id, max(birth_date) as youngest from children group by member_id)
select m.member_id,
    encode(sha256(convert_to('0123456789abcdef0123456789abcdef' || m.member_id, 'UTF8')), 'hex') as pseudonym,
    m.prefecture_code,
    to_char(m.registered_at, 'YYYY-MM') as registered,
    coalesce(width_bucket(extract(year from age(:'day'::date, m.birth_date)), array[20, 25, 30, 35, 40, 45, 50]), -1)
        as age_band,
    coalesce(width_bucket(extract(year from age(:'day'::date, f.youngest)), array[1, 3, 6, 9, 13]), -1)
        as youngest_child_band,
    extract(year from age(:'day'::date, m.birth_date)) >= 18 as grown,
    m.email
from members m left join family f using (member_id)
where m.status = 'active';
create index on person (member_id);
analyze person;

copy (
    select md5(key), encode(sha256(convert_to(key, 'UTF8')), 'hex')
    from (
        select lower(btrim(normalize(email, NFKC))) as key from person p
        where grown and email is not null
        and exists (
            select from consents c
            where c.member_id = p.member_id and c.purpose = 'ad_match' and c.withdrawn_at is null
        )
        and not exists (select from opt_outs o where o.member_id = p.member_id and o.revoked_at is null)
    ) addresses
) to stdout (format csv);

copy (select pseudonym, prefecture_code, age_band, youngest_child_band, registered from person) to stdout (format csv);

create temporary table posted as
select p.member_id, p.thread_id, p.posted_at from postings p
where p.deleted_at is null
and p.posted_at >= (:'day'::date - 27)::timestamp at time zone 'Asia/Tokyo'
and p.posted_at < (:'day'::date + 1)::timestamp at time zone 'Asia/Tokyo';
analyze posted;

copy (
    select pseudonym, thread_id, posted_at from posted left join person using (member_id)
) to stdout (format csv);

copy (
    select prefecture_code, age_band, youngest_child_band, count(*)
    from person group by 1, 2, 3 having count(*) >= 10
) to stdout (format csv);

-- Distinct members in two steps: twice as fast as count(distinct).
copy (
    select board, prefecture_code, age_band, day, count(*) as members, sum(n) as contributions
    from (
        select case when b.is_sensitive then '健康・家庭' else b.title end as board, w.prefecture_code, w.age_band,
            p.posted_at::date as day, p.member_id, count(*) as n
        from posted p join threads t on t.thread_id = p.thread_id join boards b on b.board_id = t.board_id
            join person w on w.member_id = p.member_id
        group by 1, 2, 3, 4, 5
    ) per_member
    group by 1, 2, 3, 4 having count(*) >= 10
) to stdout (format csv);
