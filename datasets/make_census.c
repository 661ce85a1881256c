/* SPDX-FileCopyrightText: 2026 the Noisewright authors
 * SPDX-License-Identifier: Apache-2.0 */
/* make_census.c - writes a table of invented people with known dependences to standard output (README.md lists them).
 * Integers only, so every machine makes the same bytes; the generator behind it is for this table, not for noise. */
#include <stdint.h>
#include <stdio.h>

#define ROWS 20000
#define SEED 20261 /* of no meaning; with another one the checksum changes */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- chance: SplitMix64 (Steele, Lea, Flood 2014) ---- */

static uint64_t state = SEED;

static uint64_t next_word(void)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int below(int bound)
{
    return (int)((next_word() >> 32) * (uint64_t)bound >> 32);
}

static int between(int low, int high)
{
    return low + below(high - low + 1);
}

static int happens(int percent)
{
    return below(100) < percent;
}

/* An index with probability proportional to its weight. */
static int pick(const int *weights, size_t n)
{
    int total = 0;
    for (size_t i = 0; i < n; i++)
        total += weights[i];
    int left = below(total);
    int i = 0;
    while (left >= weights[i])
        left -= weights[i++];
    return i;
}

/* ---- a person ---- */

static const char *const educations[] = {
    "none", "primary", "lower secondary", "upper secondary", "vocational", "bachelor", "master", "doctorate"};
static const char *const maritals[] = {"single", "married", "separated", "divorced", "widowed"};
static const char *const occupations[] = {"agriculture", "care", "cleaning", "construction", "clerical", "education",
    "engineering", "health", "management", "sales", "transport"};
static const char *const regions[] = {"north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west",
    "centre", "capital", "islands", "coast"};

typedef struct person {
    int age;
    int is_female;
    int education;
    int marital;
    int children;
    int region;
    int is_employed;
    int occupation;
    int hours;
    long income;
    int since_year;
    int since_month;
    int since_day;
} person;

static int draw_age(void)
{
    static const int decades[] = {9, 18, 19, 17, 16, 12, 7, 2}; /* 17-19, 20-29, .., 80-90 */
    const int decade = pick(decades, COUNT(decades));
    if (decade == 0)
        return between(17, 19);
    return between(10 + 10 * decade, decade == 7 ? 90 : 19 + 10 * decade);
}

/* Younger people stayed at school longer; who is not yet 24 cannot hold a master's degree. */
static int draw_education(int age)
{
    static const int weights[3][COUNT(educations)] = {
        {1, 3, 22, 48, 16, 10, 0, 0}, {1, 4, 12, 26, 22, 22, 11, 2}, {5, 22, 24, 20, 16, 8, 4, 1}};
    return pick(weights[age < 24 ? 0 : age < 60 ? 1 : 2], COUNT(educations));
}

static int draw_marital(int age)
{
    static const int weights[5][COUNT(maritals)] = {
        {97, 3, 0, 0, 0}, {66, 28, 3, 3, 0}, {25, 57, 5, 12, 1}, {11, 62, 4, 18, 5}, {6, 50, 2, 12, 30}};
    return pick(weights[age < 22 ? 0 : age < 32 ? 1 : age < 45 ? 2 : age < 66 ? 3 : 4], COUNT(maritals));
}

static int draw_children(int age, int marital)
{
    static const int ever_married[] = {14, 22, 38, 17, 6, 2, 1};
    static const int single[] = {84, 10, 4, 2};
    const int children = marital == 0 ? pick(single, COUNT(single)) : pick(ever_married, COUNT(ever_married));
    const int most = age < 20 ? 1 : (age - 14) / 3;
    return children < most ? children : most;
}

static int draw_employed(const person *p)
{
    int percent = p->age < 20 ? 35 : p->age < 25 ? 62 : p->age < 60 ? 80 : p->age < 67 ? 45 : 7;
    percent += p->age < 67 ? 2 * (p->education - 3) : 0;
    percent -= p->is_female && p->children >= 2 ? 12 : 0;
    return happens(percent);
}

static int draw_occupation(const person *p)
{
    /* in the order of `occupations` */
    static const int low[] = {9, 14, 14, 18, 6, 1, 2, 3, 1, 16, 16};
    static const int middle[] = {4, 10, 5, 12, 20, 4, 8, 10, 6, 15, 6};
    static const int high[] = {1, 3, 1, 1, 10, 20, 22, 16, 20, 5, 1};
    const int *weights = p->education < 3 ? low : p->education < 5 ? middle : high;
    int mine[COUNT(occupations)];
    for (size_t i = 0; i < COUNT(occupations); i++)
        mine[i] = 4 * weights[i];
    const int mostly_women[] = {1, 2, 5, 7}; /* care, cleaning, education, health */
    const int mostly_men[] = {3, 6, 10};     /* construction, engineering, transport */
    for (size_t i = 0; i < COUNT(mostly_women); i++)
        mine[mostly_women[i]] = p->is_female ? 2 * mine[mostly_women[i]] : mine[mostly_women[i]] / 2;
    for (size_t i = 0; i < COUNT(mostly_men); i++)
        mine[mostly_men[i]] = p->is_female ? mine[mostly_men[i]] / 4 : 2 * mine[mostly_men[i]];
    return pick(mine, COUNT(occupations));
}

/* 40 for nearly half of those employed; part time, more so with children; some long weeks. */
static int draw_hours(const person *p)
{
    const int part_time = 10 + (p->is_female ? 12 + 6 * (p->children > 3 ? 3 : p->children) : 0) + (p->age < 22 ? 30 : 0);
    if (happens(part_time))
        return between(6, 34);
    if (happens(62))
        return 40;
    return happens(70) ? between(35, 45) : between(46, 60) + (p->occupation == 8 ? between(0, 20) : 0);
}

/* 0, or a product of effects and of twelve small chances (nearly log-normal), with a heavy tail for one in forty. */
static long draw_income(const person *p)
{
    static const int by_education[] = {60, 66, 74, 88, 100, 130, 165, 200}; /* per cent */
    static const int by_region[] = {95, 88, 92, 97, 90, 88, 108, 96, 102, 135, 84, 100};
    if (!p->is_employed && happens(p->age >= 67 ? 8 : 75))
        return 0;
    if (p->is_employed && happens(1))
        return 0;
    long income = p->is_employed ? 800L * p->hours : p->age >= 67 ? 17000 : 7000;
    income = income * by_education[p->education] / 100;
    income = income * by_region[p->region] / 100;
    income = income * (p->age < 50 ? 55 + p->age : 105) / 100;
    income = income * (p->occupation == 8 ? 150 : 100) / 100;
    for (int i = 0; i < 12; i++)
        income = income * (below(2) ? 1130 : 885) / 1000;
    if (happens(2) || (p->occupation == 8 && happens(5)))
        income = income * 1000 / between(60, 1000);
    return income < 1000000 ? income : 1000000;
}

/* Nobody became a member before the age of 16, nor before 2000; recent years are likelier. */
static void draw_since(person *p)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int first = 2025 - (p->age - 16) > 2000 ? 2025 - (p->age - 16) : 2000;
    const int a = between(first, 2025);
    const int b = between(first, 2025);
    p->since_year = a > b ? a : b;
    p->since_month = between(1, 12);
    p->since_day = between(1, month_days[p->since_month - 1]);
}

static person draw_person(void)
{
    static const int region_weights[] = {9, 6, 8, 7, 10, 6, 9, 7, 11, 18, 2, 7};
    person p = {.age = draw_age(), .is_female = happens(51)};
    p.education = draw_education(p.age);
    p.marital = draw_marital(p.age);
    p.children = draw_children(p.age, p.marital);
    p.region = pick(region_weights, COUNT(region_weights));
    p.is_employed = draw_employed(&p);
    p.occupation = p.is_employed ? draw_occupation(&p) : -1;
    p.hours = p.is_employed ? draw_hours(&p) : 0;
    p.income = draw_income(&p);
    draw_since(&p);
    return p;
}

/* Text cells first; what is missing is an empty cell: occupation and hours of all who are not employed, and a few at random. */
static void write_person(const person *p)
{
    printf("%d,%s,%s,%s,", p->age, p->is_female ? "F" : "M", happens(1) ? "" : educations[p->education], maritals[p->marital]);
    printf("%d,%s,%s,", p->children, regions[p->region], p->is_employed ? "true" : "false");
    printf("%s,", p->is_employed && !happens(2) ? occupations[p->occupation] : "");
    if (p->is_employed)
        printf("%d", p->hours);
    printf(",");
    if (!happens(2))
        printf("%ld", p->income);
    printf(",");
    if (!happens(3))
        printf("%04d-%02d-%02d", p->since_year, p->since_month, p->since_day);
    printf("\n");
}

int main(void)
{
    printf("age,sex,education,marital,children,region,employed,occupation,hours,income,since\n");
    for (int i = 0; i < ROWS; i++) {
        const person p = draw_person();
        write_person(&p);
    }
    return fflush(stdout) != 0 || ferror(stdout);
}
